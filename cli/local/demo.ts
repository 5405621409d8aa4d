/**
 * The demo inputs that are generated: the sample, and a real feed of numbers abroad from the npm package
 * @ip1sms/disposable-phone-numbers (MIT).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { sample } from '../commands/sample.ts';
import { DEMO_INPUTS } from '../paths.ts';
import { privateFolder } from '../private-files.ts';

const DEMO_SAMPLE_SIZE = 1_000_000;

export async function makeDemoInputs(): Promise<void> {
  privateFolder(DEMO_INPUTS);
  const out = join(DEMO_INPUTS, 'kr-sample.csv.gz');
  if (!existsSync(out)) await sample({ size: DEMO_SAMPLE_SIZE, seed: 1, out });
  writeFileSync(join(DEMO_INPUTS, 'overseas.csv'), overseasFeed());
}

/** The package maps digits without plus to the day the number was last seen. */
function overseasFeed(): string {
  const path = createRequire(import.meta.url).resolve('@ip1sms/disposable-phone-numbers/number-list.json');
  const feed = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
  const lines = Object.entries(feed).map(([digits, day]) => `+${digits},${day}\n`);
  return `number,since\n${lines.join('')}`;
}
