import { printTable } from '@polyrun/wires/table';
import { wire } from './support/wire.ts';

await printTable(wire);
