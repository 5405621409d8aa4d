/**
 * Turns the items of an operation into targets, and rejects numbers that must never be blocked by hand.
 */
import type { EntryChange, ProblemExtras } from '../../shared/admin.ts';
import { BULK_ENTRIES_MAX } from '../../shared/limits.ts';
import type { LiveOp } from '../../shared/live/entry.ts';
import { fingerprintKey, numberKey } from '../../shared/live/entry.ts';
import { parseListed } from '../../shared/numbers/parse.ts';
import { isEmergency, isEmergencyNumber } from '../../shared/numbers/plan.ts';
import { isValidNumber } from '../../shared/numbers/validity.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import { fingerprintsOf, formatSource, parseSource } from '../../shared/sources/source.ts';
import { findTestNumber } from '../../shared/test-numbers.ts';
import { type ChangeResult, refuse, refuseField } from './change-request.ts';
import type { Target } from './live-store.ts';

type ItemProblem = 'ENTRY_INVALID' | 'ENTRY_PROTECTED' | 'ENTRY_TOO_WIDE';
/** Maximum invalid items reported for one operation. */
const ITEMS_SHOWN_MAX = 100;

/** The items and the operation; `find` only looks them up. */
export interface TargetRequest extends Pick<EntryChange, 'items' | 'subjects'> {
  readonly op: LiveOp | 'find';
}

/** All targets, or the invalid items: an operation is applied as a whole or not at all. */
export function targetsOf(
  wanted: TargetRequest,
  keys: ListKeys,
  protectedNumbers: ReadonlySet<number>,
): ChangeResult<Target[]> {
  const { items, op } = wanted;
  const targets: Target[] = [];
  const seen = new Map<string, string | null>();
  const problems: { index: number; code: ItemProblem; message: string }[] = [];
  for (const [index, item] of items.entries()) {
    const found =
      'source' in item ? sourceOf(item.source, wanted, keys) : numberOf(item.number, op, protectedNumbers);
    if ('code' in found) {
      problems.push({ index, ...found });
      continue;
    }
    for (const target of found) {
      const name = `${target.kind} ${target.high} ${target.low}`;
      if (!seen.has(name)) targets.push(target);
      // Different sender IDs can share a target if they look alike.
      else if (seen.get(name) === target.source) {
        problems.push({ index, code: 'ENTRY_INVALID', message: 'is given twice' });
      }
      seen.set(name, target.source);
    }
  }
  const [first] = problems;
  if (first === undefined && targets.length > BULK_ENTRIES_MAX) {
    const why = 'a sender id with letters that look like others makes two';
    return refuseField(
      'items',
      `make ${targets.length} entries, at most ${BULK_ENTRIES_MAX} at once: ${why}`,
    );
  }
  if (first === undefined) return { ok: true, value: targets };
  if (op === 'find') return refuse(first.code, `what is looked for ${first.message}`);
  const others = problems.length === 1 ? '' : `, and ${problems.length - 1} more`;
  const reported: NonNullable<ProblemExtras['items']> = problems.slice(0, ITEMS_SHOWN_MAX);
  return refuse(first.code, `items[${first.index}] ${first.message}${others}; nothing was changed`, {
    items: reported,
  });
}

type Wrong = { readonly code: ItemProblem; readonly message: string };

/** A block covers a sender ID and everything that looks like it. An unblock covers only its own spelling. */
function sourceOf(text: string, { op, subjects }: TargetRequest, keys: ListKeys): Target[] | Wrong {
  const parsed = parseSource(text);
  if (!parsed.ok) {
    return { code: 'ENTRY_INVALID', message: `${parsed.message}; give a number as "number"` };
  }
  // Such an entry would never match: only senders can be sources.
  if ((op === 'block' || op === 'unblock') && !subjects.includes('from')) {
    return { code: 'ENTRY_INVALID', message: 'is no number: a recipient always is one' };
  }
  const { spelling, skeleton } = fingerprintsOf(parsed.value, keys.sourceSeed);
  const fingerprints = op === 'unblock' ? [spelling] : [...new Set([spelling, skeleton])];
  const source = formatSource(parsed.value);
  return fingerprints.map((fingerprint) => ({ ...fingerprintKey(fingerprint), source }));
}

function numberOf(
  text: string,
  op: TargetRequest['op'],
  protectedNumbers: ReadonlySet<number>,
): Target[] | Wrong {
  if (/\*\s*$|\.\./.test(text)) {
    return {
      code: 'ENTRY_TOO_WIDE',
      message: 'is a range or a prefix: ranges belong into a list of a release',
    };
  }
  const address = parseListed(text);
  if (address.kind === 'shortCode') {
    // Short codes have no entries, so a lookup finds none.
    if (op === 'find') return [];
    const message = isEmergency(address.code)
      ? 'is an emergency number'
      : 'is a short code: those are ruled by the plan';
    return { code: 'ENTRY_PROTECTED', message };
  }
  if (address.kind === 'localNumber') {
    return {
      code: 'ENTRY_INVALID',
      message: 'lacks its area code: write it in front, or + and the country code',
    };
  }
  if (address.kind === 'ambiguous' || (address.kind === 'number' && address.carrierPrefix !== null)) {
    return {
      code: 'ENTRY_INVALID',
      message: 'can mean several numbers: write + and the country code, not 00 or a carrier prefix',
    };
  }
  if (address.kind !== 'number') return { code: 'ENTRY_INVALID', message: 'is not a number' };
  const { n } = address;
  if (op === 'find') return [{ ...numberKey(n), source: null }];
  if (isEmergencyNumber(n)) return { code: 'ENTRY_PROTECTED', message: 'is an emergency number' };
  if (findTestNumber(n) !== null)
    return { code: 'ENTRY_PROTECTED', message: 'is a test number, whose answer is fixed' };
  if (op === 'block' && protectedNumbers.has(n)) {
    return { code: 'ENTRY_PROTECTED', message: 'is a protected number: see the guards' };
  }
  if (!isValidNumber(n)) {
    return {
      code: 'ENTRY_INVALID',
      message: 'is a number that no subscriber can have (length or country code)',
    };
  }
  return [{ ...numberKey(n), source: null }];
}
