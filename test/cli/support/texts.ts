/** Models and host files for commands of text releases. The model knows only one spam text. */
import { join } from 'node:path';
import { writeModelFolder } from '../../../cli/text/model-folder.ts';
import { featuresOf } from '../../../shared/text/features.ts';
import { encodeModel } from '../../../shared/text/model.ts';
import { readText } from '../../../shared/text/text.ts';
import type { ModelFacts } from '../../../shared/text/text-manifest.ts';
import { FOLDER } from './workspace.ts';

export const SPAM = 'You have won a free prize of 900 pounds, call now to claim it before it ends!';
export const ORDINARY = '내일 저녁에 시간 되면 같이 밥 먹자, 지난번 그 집으로 예약해 둘게';
const BITS = 12;

export const FACTS: ModelFacts = {
  name: 'tested',
  bits: BITS,
  thresholds: { review: 0.5, suspicious: 0.9 },
  trained: { spam: 1, legitimate: 2, from: null, to: null },
  domains: [{ domain: 'delivery', texts: 3_000, review: 20, suspicious: 3 }],
  spam: { texts: 100, review: 99, suspicious: 90 },
};

/** Writes a model folder. @returns its path */
export function modelFolder(name: string, facts: Partial<ModelFacts> = {}): string {
  const weights = new Int8Array(2 ** BITS);
  const { buckets } = featuresOf(readText(SPAM), BITS);
  for (const bucket of buckets) weights[bucket] = 127;
  const path = join(FOLDER, name);
  const bytes = encodeModel({ bits: BITS, bias: -4, scale: 0.01 }, weights);
  writeModelFolder(path, { facts: { ...FACTS, ...facts }, bytes });
  return path;
}
