/** Writes the authorization matrix into docs/threats.md: `npm run docs:matrix`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withMatrix } from './matrix.ts';
import { PROJECT } from './sources.ts';

const path = join(PROJECT, 'docs', 'threats.md');
writeFileSync(path, withMatrix(readFileSync(path, 'utf8')));
