// Removes folders below the working directory, so that a build holds nothing from deleted sources.
import { rmSync } from 'node:fs';

for (const folder of process.argv.slice(2)) rmSync(folder, { recursive: true, force: true });
