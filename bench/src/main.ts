console.log('The benchmarks come with the first adapter.');
