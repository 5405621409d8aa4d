/**
 * `npm run lists -- <command>`. Node keeps what it has compiled: a start takes half the time of the first.
 */
import { enableCompileCache } from 'node:module';
import { COMPILED } from './paths.ts';

enableCompileCache(COMPILED);
await import('./program.ts');
