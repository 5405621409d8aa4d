/** The names that stores and logs use for the sender of a file. */
import { keyedNumber } from '../../shared/audit.ts';
import type { SubjectsPart } from '../../shared/evidence-file/parts.ts';
import { ReferenceKey } from '../../shared/feed/reference.ts';
import { toE164 } from '../../shared/numbers/number.ts';
import type { ReportSubject } from '../../shared/reports/report.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { openSharingKeys } from '../../shared/sharing-keys.ts';
import { foldSenderId, skeletonOf } from '../../shared/sources/sender-id.ts';
import { formatSource, textsOf } from '../../shared/sources/source.ts';
import { isTestNumber } from '../../shared/test-numbers.ts';
import { SUBJECTS } from '../../shared/verdict.ts';
import type { AppealParty } from '../storage/evidence-port.ts';
import type { Party } from './request.ts';

const STATEMENT = [
  'The audit log names numbers by a permutation that is keyed with LIST_KEY.',
  'The service that signed this file states that these names belong to these numbers.',
  'Whoever holds LIST_KEY can compute them: npx numgate evidence verify --list-key.',
].join(' ');

/** A number is searched as `from` and as `to`, because it can send and can be called. */
export function appealParties(party: Party): AppealParty[] {
  if (party.kind === 'source') return [{ subject: 'from', party: party.source.name }];
  return SUBJECTS.map((subject) => ({ subject, party: party.n }));
}

/** The party as reports name it. */
export function reportSubject(party: Party): { readonly subject: ReportSubject; readonly mock: boolean } {
  if (party.kind === 'number') {
    return { subject: { kind: 'number', n: party.n }, mock: isTestNumber(party.n) };
  }
  return { subject: { kind: 'source', text: skeletonOf(foldSenderId(party.source.name)) }, mock: false };
}

export function subjectsPart(
  parties: readonly Party[],
  organisations: readonly string[],
  ring: KeyRing,
): SubjectsPart {
  const numbers = parties.flatMap((party) => (party.kind === 'number' ? [party.n] : []));
  return {
    statement: STATEMENT,
    numbers: numbers.map((n) => ({
      number: toE164(n),
      keyed: ring.all.map((keys) => ({ keyId: keys.keyId, name: keyedNumber(n, keys) })),
    })),
    sources: parties.flatMap((party) => (party.kind === 'number' ? [] : sourceNames(party))),
    organisations: [...organisations],
  };
}

/** Includes the skeleton, because rules block the skeleton of a sender ID. */
function sourceNames({ source }: Extract<Party, { kind: 'source' }>): SubjectsPart['sources'] {
  const skeleton = { kind: 'senderId' as const, name: skeletonOf(foldSenderId(source.name)) };
  const texts = [...new Set([formatSource(source), formatSource(skeleton)])];
  return texts.map((text) => ({ source: text, name: `source ${text}` }));
}

/** The names that the log uses for the parties themselves. */
export function partyNames({ numbers, sources }: SubjectsPart): string[] {
  return [
    ...numbers.flatMap(({ keyed }) => keyed.map(({ name }) => name)),
    ...sources.map(({ name }) => name),
  ];
}

/** The references under which feed entries and notices are stored. None without SHARING_KEY. */
export async function referencesOf(parties: readonly Party[], sharingKey: string): Promise<string[]> {
  const opened = await openSharingKeys(sharingKey);
  if (!opened.ok) return [];
  const keys = await Promise.all(opened.value.map((key) => ReferenceKey.open(key)));
  const references = keys.flatMap((key) =>
    parties.flatMap((party) => {
      if (party.kind === 'number') {
        return SUBJECTS.map((subject) => key.reference('number', toE164(party.n), subject));
      }
      // An entry of a sender ID is stored under its spelling, or under its skeleton.
      const { spelling, skeleton } = textsOf(party.source);
      return [...new Set([spelling, skeleton])].map((text) => key.reference('source', text, 'from'));
    }),
  );
  return Promise.all(references);
}
