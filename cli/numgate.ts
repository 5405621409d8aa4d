#!/usr/bin/env node
/** `npx numgate <command>`. Node caches compiled code, so later starts take half the time of the first. */
import { enableCompileCache } from 'node:module';
import { COMPILED } from './paths.ts';

enableCompileCache(COMPILED);
await import('./program.ts');
