/**
 * Korean rules for the sender of a domestic text, based on the form of the sender alone.
 *
 * The rules are data (`data/kr-sender-rules.json`), each with its reason and source. A rule names a class of
 * the plan, a kind of sender, or a count of digits as dialled. O(1).
 */
import table from '../../data/kr-sender-rules.json' with { type: 'json' };
import { digitCountOf } from './number.ts';
import type { Party } from './party.ts';
import { isEmergencyNumber, type KrClass, krClassOf } from './plan.ts';

interface Rule {
  readonly id: string;
  readonly class?: string;
  readonly kind?: string;
  readonly digitsMin?: number;
  readonly digitsMax?: number;
  readonly digitsMaxByClass?: Readonly<Record<string, number>>;
}

const rules: readonly Rule[] = table.rows;
const lengthRule = rules.find((rule) => rule.digitsMin !== undefined)!;

const idByClass = new Map(rules.map((rule) => [rule.class, rule.id]));
const idByKind = new Map(rules.map((rule) => [rule.kind, rule.id]));

/**
 * The ID of the rule that this sender breaks; null if there is none. Does not check whether the number is
 * valid (`isValidNumber`).
 * @param ownedShortCodes short codes that the client may send from
 */
export function senderRule(sender: Party, ownedShortCodes: readonly string[]): string | null {
  if (sender.kind === 'shortCode' && ownedShortCodes.includes(sender.code)) return null;
  return sender.kind === 'number' ? numberRule(sender.n) : (idByKind.get(sender.kind) ?? null);
}

function numberRule(n: number): string | null {
  // 02-119 is 119 with an area code.
  if (isEmergencyNumber(n)) return idByKind.get('shortCode') ?? null;
  const krClass = krClassOf(n);
  if (krClass === null) return idByKind.get('foreignNumber') ?? null;
  return idByClass.get(krClass) ?? (hasLength(n, krClass) ? null : lengthRule.id);
}

/** Counts digits as dialled, with the trunk 0 that +82 replaces. Representative numbers have no trunk 0. */
function hasLength(n: number, krClass: KrClass): boolean {
  const count = digitCountOf(n) - 2 + (krClass === 'representative' ? 0 : 1);
  const max = lengthRule.digitsMaxByClass?.[krClass] ?? lengthRule.digitsMax!;
  return count >= lengthRule.digitsMin! && count <= max;
}
