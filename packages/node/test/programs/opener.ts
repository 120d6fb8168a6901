import { SQLiteSession } from '../../src/index.ts';

/** Opens the file at the moment that all are told to, and writes once. */
const [file = '', name = ''] = process.argv.slice(2);
process.stdout.write('ready\n');
process.stdin.once('data', () => {
  void new SQLiteSession('shared', file).addItems([{ role: 'user', content: name }]).then(() => process.exit(0));
});
