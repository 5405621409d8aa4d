/**
 * Parsing written numbers, as each check does for its sender and recipient, compared with libphonenumber-js in
 * the same process. Runs in Node, because parsing uses nothing of the platform.
 */
import parsePhoneNumber from 'libphonenumber-js/max';
import { toE164 } from '../../shared/numbers/number.ts';
import { parseParty } from '../../shared/numbers/parse.ts';
import type { BenchOptions } from '../lib/options.ts';
import { type Row, row } from '../lib/table.ts';

/** Written forms of Korean numbers, and the number that each one means. */
const FORMS: readonly (readonly [form: string, text: string, e164: string])[] = [
  ['mobile', '010-2000-5036', '+821020005036'],
  ['mobile with +82', '+82 10-2000-5036', '+821020005036'],
  ['fixed', '02-312-4567', '+8223124567'],
  ['representative', '1588-1234', '+8215881234'],
];
/** Upper bound for one parse, in ns. */
const TARGET_NS = 500;
const ROUNDS = 10;
const PARSES = 200_000;
const PARSES_SMALL = 20_000;
/** libphonenumber-js is so slow that it parses only this share of the numbers. */
const BASELINE_SHARE = 0.01;

export async function parseBench({ small }: BenchOptions): Promise<Row[]> {
  const parses = small ? PARSES_SMALL : PARSES;
  return FORMS.map(([form, text, e164]) => {
    const party = parseParty(text);
    if (party.kind !== 'number' || toE164(party.n) !== e164) throw new Error(`${form}: not ${e164}`);
    const ours: number[] = [];
    const baseline: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(nsEach(parses, () => parseParty(text)));
      baseline.push(nsEach(parses * BASELINE_SHARE, () => parsePhoneNumber(text, 'KR')));
    }
    const base = `libphonenumber-js: ${Math.round(Math.min(...baseline))} ns`;
    return row(`parse, ${form}`, Math.min(...ours), 'ns', base, null, TARGET_NS);
  });
}

/** The time of one call, in ns. */
function nsEach(calls: number, call: () => unknown): number {
  const began = process.hrtime.bigint();
  for (let index = 0; index < calls; index++) call();
  return Number(process.hrtime.bigint() - began) / calls;
}
