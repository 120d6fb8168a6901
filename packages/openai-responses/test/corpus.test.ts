import { describeRecordings } from '@polyrun/wires/recordings';
import { wire } from './support/wire.ts';

describeRecordings(wire);
