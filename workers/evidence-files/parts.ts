/** The parts of an evidence file as text, in the order in which a manifest lists them. */
import { auditLine } from '../../shared/audit.ts';
import {
  APPEALS_PART,
  type AppealsPart,
  BLOCKS_PART,
  CHAIN_SUBJECTS,
  CHECKPOINT_PART,
  CREDENTIALS_PART,
  type CredentialsPart,
  chainPart,
  KEYS_PART,
  LOG_PART,
  NOTICES_PART,
  type NoticesPart,
  PROOFS_PART,
  type ProofsPart,
  README_PART,
  REGISTRATIONS_PART,
  REPORTS_PART,
  type RegistrationsPart,
  RULE_BLOCKS_PART,
  RULES_PART,
  type RuleBlocksPart,
  type RulesPart,
  SUBJECTS_PART,
  type SubjectsPart,
} from '../../shared/evidence-file/parts.ts';
import { ruleRef } from '../../shared/reports/rule.ts';
import type { EvidenceTree } from '../coordinator/evidence-tree.ts';
import type { ServiceKey } from '../register/service-key.ts';
import type { Collected, CollectedChain } from './collected.ts';
import type { LogRecords, RuleMaker } from './log-records.ts';
import { README } from './readme.ts';

export function formatParts(
  collected: Collected,
  subjects: SubjectsPart,
  makers: readonly RuleMaker[],
  log: LogRecords,
  tree: EvidenceTree,
  keys: ServiceKey['published'],
): Record<string, string> {
  const chains = collected.chains.filter(({ records }) => records.length > 0);
  return {
    [README_PART]: README,
    [KEYS_PART]: json({ jwks: { keys }, checkpointKey: tree.checkpointKey }),
    [CHECKPOINT_PART]: tree.checkpoint,
    [SUBJECTS_PART]: json(withSources(subjects, log.sourceNames)),
    [BLOCKS_PART]: json(collected.blocks),
    [RULE_BLOCKS_PART]: json(ruleBlocksPart(collected)),
    [RULES_PART]: json(rulesPart(collected, makers, log)),
    [REPORTS_PART]: json(collected.reports),
    [NOTICES_PART]: json({ notices: collected.notices } satisfies NoticesPart),
    [APPEALS_PART]: json({ appeals: collected.appeals } satisfies AppealsPart),
    [REGISTRATIONS_PART]: json(registrationsPart(collected)),
    [CREDENTIALS_PART]: json(credentialsPart(collected)),
    [LOG_PART]: log.records.map(({ record }) => `${auditLine(record)}\n`).join(''),
    ...Object.fromEntries(
      chains.map(({ chain, organisation, records }) => [
        chainPart(chain, organisation),
        records.map(({ record }) => `${auditLine(record)}\n`).join(''),
      ]),
    ),
    [PROOFS_PART]: json(proofsPart(chains, log, tree)),
  };
}

/** Indents the JSON, because people read the files too. */
function json(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

/** Adds the spellings under which admins blocked a sender ID. */
function withSources(subjects: SubjectsPart, names: readonly string[]): SubjectsPart {
  const known = new Set(subjects.sources.map(({ name }) => name));
  const others = names.filter((name) => !known.has(name)).sort();
  const sources = others.map((name) => ({ source: name.slice('source '.length), name }));
  return { ...subjects, sources: [...subjects.sources, ...sources] };
}

/** Leaves out the partners, because their reports are no concern of the sender. */
function ruleBlocksPart({ ruleBlocks }: Collected): RuleBlocksPart {
  return {
    ruleBlocks: ruleBlocks.map(({ members: _, campaign: _campaign, grounds, ...block }) => ({
      ...block,
      grounds: grounds.map(({ partners: _partners, ...ground }) => ground),
    })),
  };
}

function rulesPart(
  { rules }: Collected,
  makers: readonly RuleMaker[],
  { ruleRecords }: LogRecords,
): RulesPart {
  return {
    rules: rules.map(({ id, version, ...rule }) => {
      const made = makers.find((each) => each.id === id && each.version === version);
      return {
        ...{ id, version, rule, by: made?.by ?? null, at: made?.at ?? null, reason: made?.reason ?? null },
        record: ruleRecords.get(ruleRef({ id, version })) ?? null,
      };
    }),
  };
}

/** Includes the claims of reviewers as they are when the file is made. */
function registrationsPart({ registrations, qualifications }: Collected): RegistrationsPart {
  return { registrations, qualifications };
}

function credentialsPart({ certificates, delegations }: Collected): CredentialsPart {
  return { certificates, delegations };
}

function proofsPart(
  chains: readonly CollectedChain[],
  { records }: LogRecords,
  tree: EvidenceTree,
): ProofsPart {
  return {
    log: records.map(({ record, hashes }) => ({ n: record.n, hashes: [...hashes] })),
    checkpoints: tree.checkpoints.map((each) => ({ ...each, hashes: [...each.hashes] })),
    chains: chains.map(({ chain, organisation, records: own }) => ({
      ...{ part: chainPart(chain, organisation), chain },
      subject: chain === 'registrations' ? organisation! : CHAIN_SUBJECTS[chain],
      records: own.map(({ record, anchor, hashes }) => ({
        ...{ n: record.n, anchor: anchor.logN, from: anchor.from, to: anchor.to, hashes: [...hashes] },
      })),
    })),
  };
}
