/**
 * Moves live and folded sources to the key of a new release. A release stores fingerprints, which cannot be inverted. So each
 * fingerprint is computed again from the name of its source. The name comes from the live entries, the audit log or the admin.
 */
import type { EntryInfo } from '../../shared/admin/entries.ts';
import type { KeyRing } from '../../shared/set/key-ring.ts';
import { fingerprintsOf, parseSource } from '../../shared/sources/source.ts';
import { CommandFailure } from '../failure.ts';
import type { FoldedEntry, FoldedList } from './fold.ts';

/** Maximum number of fingerprints that a message names. */
const NAMED_MAX = 20;
/** The beginning of the subject of an entry for a source, in the audit log. */
const SUBJECT = 'source ';

export interface Names {
  /** Names that the admin gives. */
  readonly given: readonly string[];
  /** Lines of the audit log. Read only if a name is missing. */
  readonly auditLines: () => AsyncIterable<string>;
  /** Leave out the sources whose name is unknown. */
  readonly dropUnknown: boolean;
}

export interface Sources {
  readonly entries: readonly EntryInfo[];
  readonly folded: readonly FoldedList[];
}

/** The same entries with fingerprints under the first key. With one key, they already have them. */
export async function rekeySources(sources: Sources, ring: KeyRing, names: Names): Promise<Sources> {
  if (ring.all.length === 1) return sources;
  const known = new Map<string, string>();
  const learn = (text: string): void => {
    const parsed = parseSource(text);
    if (!parsed.ok) return;
    const after = fingerprintsOf(parsed.value, ring.writer.sourceSeed);
    for (const { sourceSeed } of ring.all) {
      const before = fingerprintsOf(parsed.value, sourceSeed);
      known.set(hexOf(before.skeleton), hexOf(after.skeleton));
      known.set(hexOf(before.spelling), hexOf(after.spelling));
    }
  };
  for (const { source } of sources.entries) if (source !== null) learn(source);
  for (const name of names.given) learn(name);
  const missing = (): string[] => [...new Set(fingerprintsIn(sources))].filter((hex) => !known.has(hex));
  if (missing().length > 0) {
    for await (const line of names.auditLines()) {
      const { subject } = JSON.parse(line) as { subject: string };
      if (subject.startsWith(SUBJECT)) learn(subject.slice(SUBJECT.length));
    }
  }
  const unknown = missing();
  if (unknown.length > 0 && !names.dropUnknown) throw new CommandFailure(unknownMessage(unknown));
  const rekeyed = (hex: string): string[] => [known.get(hex)].filter((found) => found !== undefined);
  return {
    entries: sources.entries.flatMap((entry) =>
      typeof entry.fingerprint === 'string'
        ? rekeyed(entry.fingerprint).map((fingerprint) => ({ ...entry, fingerprint }))
        : [entry],
    ),
    folded: sources.folded.map((list) => ({
      ...list,
      entries: list.entries.flatMap((entry): FoldedEntry[] => {
        const { what } = entry;
        if (what.kind === 'number') return [entry];
        return rekeyed(what.hex).map((hex) => ({ ...entry, what: { kind: 'fingerprint', hex } }));
      }),
    })),
  };
}

function* fingerprintsIn({ entries, folded }: Sources): Generator<string> {
  for (const { fingerprint } of entries) if (typeof fingerprint === 'string') yield fingerprint;
  for (const list of folded)
    for (const { what } of list.entries) if (what.kind === 'fingerprint') yield what.hex;
}

function unknownMessage(unknown: readonly string[]): string {
  const others = unknown.length > NAMED_MAX ? `, and ${unknown.length - NAMED_MAX} more` : '';
  return (
    `the names of ${unknown.length} folded sources are unknown, so no other key can find these sources: ` +
    `${unknown.slice(0, NAMED_MAX).join(', ')}${others}\n` +
    'pass their names with --source-names <file>, one per line (an exported audit log has them as subjects), ' +
    'or leave them out with --drop-unknown-sources'
  );
}

function hexOf(fingerprint: bigint): string {
  return fingerprint.toString(16).padStart(16, '0');
}
