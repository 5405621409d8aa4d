/**
 * Verifies that the records are about the sender, by the names that the service states for it, or about something in the
 * file. Also verifies that the rules in the file equal those in the log.
 */
import * as v from 'valibot';
import { ok } from '../result.ts';
import { jsonPart, parseJson } from './json-part.ts';
import type { EvidenceManifest } from './manifest.ts';
import {
  APPEALS_PART,
  type AppealsPart,
  type CHAIN_SUBJECTS,
  CREDENTIALS_PART,
  type CredentialsPart,
  type ProofsPart,
  REGISTRATIONS_PART,
  type RegistrationsPart,
  RULE_BLOCKS_PART,
  RULES_PART,
  type RuleBlocksPart,
  type RulesPart,
  SUBJECTS_PART,
  type SubjectsPart,
  subjectsSchema,
} from './parts.ts';
import { type Records, recordsIn } from './records.ts';
import { counted, type StepDone, wrong } from './steps.ts';
import { name } from './verify-log.ts';

type Texts = ReadonlyMap<string, string>;

/** Only the fields that are compared here. The other fields are for people. */
const rulesSchema = v.looseObject({
  rules: v.array(
    v.looseObject({
      id: v.string(),
      version: v.number(),
      rule: v.looseObject({}),
      record: v.nullable(v.number()),
    }),
  ),
});

/** Parses a part without checking its form, for callers that need only some fields, such as IDs. */
function partOf<Part>(texts: Texts, part: string): Partial<Part> {
  return (parseJson(texts.get(part) ?? '') ?? {}) as Partial<Part>;
}

/** Verifies that the file and its records are about the sender of the request. */
export function verifySubjects(
  texts: Texts,
  { sender }: EvidenceManifest,
  proofs: ProofsPart,
  log: Records,
): StepDone {
  const read = jsonPart(SUBJECTS_PART, texts.get(SUBJECTS_PART) ?? '', subjectsSchema);
  if (!read.ok) return read;
  const subjects = read.value;
  const isSender =
    ('number' in sender && subjects.numbers.some(({ number }) => number === sender.number)) ||
    ('source' in sender && subjects.sources.some(({ source }) => source === sender.source)) ||
    ('organisation' in sender && subjects.organisations.includes(sender.organisation));
  if (!isSender) return wrong('RECORD_FOREIGN', `${SUBJECTS_PART} does not name the sender of the file`);
  if (!('organisation' in sender) && subjects.numbers.length + ('source' in sender ? 1 : 0) !== 1)
    return wrong('RECORD_FOREIGN', `${SUBJECTS_PART} names other senders, too`);
  const anchors = new Set(proofs.chains.flatMap(({ records }) => records.map(({ anchor }) => anchor)));
  const rules = jsonPart(RULES_PART, texts.get(RULES_PART) ?? '', rulesSchema);
  if (!rules.ok) return rules;
  const ruleRecords = new Set(rules.value.rules.map(({ record }) => record));
  const names = namesOf(subjects);
  let own = 0;
  for (const { n, action, subject } of log.values()) {
    if (names.has(subject)) {
      own++;
      continue;
    }
    const isOrganisation =
      subjects.organisations.includes(subject) && /^(?:qualifications|organisations)\./.test(action);
    const isRule = ruleRecords.has(n) && action === 'rules.put';
    const isRelease = action.startsWith('release.') && subject === releaseIn(texts);
    if (!isOrganisation && !isRule && !isRelease && !anchors.has(n))
      return wrong('RECORD_FOREIGN', `record ${name(n)} of the log is not about the sender`);
  }
  const foreign = foreignChainRecord(texts, proofs);
  if (foreign !== null) return foreign;
  return ok(
    `the sender is named by ${counted(own, 'record')} of the log; the signature vouches for these names`,
  );
}

function namesOf({ numbers, sources }: SubjectsPart): Set<string> {
  return new Set([
    ...numbers.flatMap(({ keyed }) => keyed.map((each) => each.name)),
    ...sources.map((each) => each.name),
  ]);
}

function releaseIn(texts: Texts): unknown {
  return partOf<{ release: unknown }>(texts, 'blocks.json').release;
}

/** Fails if a record of another chain is about nothing in the file. Returns null if there is no such record. */
function foreignChainRecord(texts: Texts, { chains }: ProofsPart): Extract<StepDone, { ok: false }> | null {
  const { ruleBlocks = [] } = partOf<RuleBlocksPart>(texts, RULE_BLOCKS_PART);
  const { appeals = [] } = partOf<AppealsPart>(texts, APPEALS_PART);
  const { registrations = [] } = partOf<RegistrationsPart>(texts, REGISTRATIONS_PART);
  const { certificates = [], delegations = [] } = partOf<CredentialsPart>(texts, CREDENTIALS_PART);
  const known = {
    response: new Set(ruleBlocks.map(({ id }) => `rule block ${id}`)),
    appeals: new Set(appeals.map(({ id }) => `appeal ${id}`)),
    credentials: new Set([
      ...certificates.map(({ digest }) => `certificate ${digest}`),
      ...delegations.map(({ id }) => `delegation ${id}`),
    ]),
    registrations: new Set(registrations.map(({ organisation, id }) => `${organisation}/${id}`)),
  } satisfies Record<keyof typeof CHAIN_SUBJECTS | 'registrations', Set<string>>;
  for (const { part, chain } of chains) {
    const records = recordsIn(part, texts.get(part) ?? '');
    if (!records.ok) return records;
    const foreign = [...records.value.values()].find(({ subject }) => !known[chain].has(subject));
    if (foreign !== undefined)
      return wrong(
        'RECORD_FOREIGN',
        `record ${name(foreign.n)} of ${part} is not about anything in the file`,
      );
  }
  return null;
}

/** Verifies that each rule that names a record of the log equals the rule in that record. */
export function verifyRules(texts: Texts, log: Records): StepDone {
  const rules = jsonPart(RULES_PART, texts.get(RULES_PART) ?? '', rulesSchema);
  if (!rules.ok) return rules;
  let proven = 0;
  for (const { id, version, rule, record: n } of rules.value.rules as unknown as RulesPart['rules']) {
    if (n === null) continue;
    const record = log.get(n);
    const isSame =
      record?.action === 'rules.put' &&
      record.subject === id &&
      isEqualJson(record.after, { id, version, ...rule });
    if (!isSame) return wrong('RULE_OTHER', `rule ${id} differs from record ${name(n)} of the log`);
    proven++;
  }
  const rest = rules.value.rules.length - proven;
  const unproven =
    rest === 0
      ? ''
      : `; ${counted(rest, 'other')} came with the installation, or left the log when it was trimmed`;
  return ok(`the log and the file have the same content for ${counted(proven, 'rule version')}${unproven}`);
}

/** Whether two JSON values are equal, regardless of the order of members. */
function isEqualJson(one: unknown, other: unknown): boolean {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.entries(value)
      .map(([key, each]) => [key, sorted(each)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  };
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}
