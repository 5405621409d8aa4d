/**
 * Korean rules on what may stand as the sender of a text or call, by the form of the number alone.
 *
 * The rules are data (`data/kr-sender-rules.json`), each with its reason and source; a rule names either a
 * class of the plan or the kind `shortCode`. Numbers abroad have no rule here. O(1) a question.
 */
import table from '../../data/kr-sender-rules.json' with { type: 'json' };
import type { Address } from './parse.ts';
import { isEmergencyNumber, krClassOf } from './plan.ts';

/** What can be asked for: an address that has digits. */
export type SenderAddress = Extract<Address, { kind: 'number' | 'shortCode' }>;

const idByClass = new Map<string, string>();
let shortCodeRuleId: string | null = null;

for (const row of table.rows) {
  if (row.class !== undefined) idByClass.set(row.class, row.id);
  else if (row.kind === 'shortCode') shortCodeRuleId = row.id;
}

/**
 * Id of the rule that this sender breaks, null if none. `ownedShortCodes`: the codes whose owner asks.
 * Whether the number is valid at all is another question (`isValidNumber`).
 */
export function senderRule(address: SenderAddress, ownedShortCodes: readonly string[]): string | null {
  if (address.kind === 'shortCode') return ownedShortCodes.includes(address.code) ? null : shortCodeRuleId;
  // 02-119 is 119 behind an area code, and nobody's to send from.
  if (isEmergencyNumber(address.n)) return shortCodeRuleId;
  const krClass = krClassOf(address.n);
  return krClass === null ? null : (idByClass.get(krClass) ?? null);
}
