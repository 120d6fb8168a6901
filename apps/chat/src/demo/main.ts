console.log('The demo comes with the first adapter.');
