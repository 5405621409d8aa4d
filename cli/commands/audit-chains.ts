/**
 * Verifies the audit chains that are separate from the audit log: one for the registered senders of each organisation, and
 * one for text risk. Compares each chain with its anchors in the audit log.
 */
import type { KnownRecord } from '../../shared/audit.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import { count, counted } from '../terminal/figures.ts';
import { auditLines, unwrapRecord } from './audit-lines.ts';
import { type Verification, verifyAudit } from './audit-verify.ts';
import { registrationsOf } from './organisation-option.ts';

export interface ChainVerification extends Verification {
  /** The last record of the chain that the audit log anchors, 0 for none. Null if the token may not read the log. */
  readonly anchoredTo: number | null;
}

interface ChainOptions {
  readonly after: number;
  readonly known: readonly KnownRecord[];
}

/** A chain: its path in the admin API, and how the audit log names its anchors. */
interface Chain {
  readonly path: string;
  readonly action: string;
  readonly subject: string;
}

export function verifyRegistrations(
  admin: Admin,
  organisation: string,
  options: ChainOptions,
): Promise<ChainVerification> {
  const path = `${registrationsOf(organisation)}/audit`;
  return verifyChain(admin, { path, action: 'registrations.anchor', subject: organisation }, options);
}

export function verifyText(admin: Admin, options: ChainOptions): Promise<ChainVerification> {
  const names = { action: 'text.anchor', subject: 'text releases and campaigns' };
  return verifyChain(admin, { path: 'text/audit', ...names }, options);
}

async function verifyChain(
  admin: Admin,
  chain: Chain,
  { after, known }: ChainOptions,
): Promise<ChainVerification> {
  // Read the anchors before the chain. The chain may grow meanwhile, and a newer anchor would be ahead of it.
  const anchors = await anchorsOf(admin, chain);
  const settings = {
    ...{ from: admin.url, after },
    known: [...known, ...(anchors ?? []).filter(({ n }) => n >= after)],
  };
  const verified = await verifyAudit(auditLines(admin, after, chain.path), settings);
  return { ...verified, anchoredTo: anchors === null ? null : (anchors.at(-1)?.n ?? 0) };
}

/** The anchors of a chain in the audit log. Null if the token lacks the scope `read`. */
async function anchorsOf(admin: Admin, chain: Chain): Promise<KnownRecord[] | null> {
  const anchors: KnownRecord[] = [];
  try {
    for await (const line of auditLines(admin, 0)) {
      const { action, subject, after } = unwrapRecord(line, admin.url);
      if (action === chain.action && subject === chain.subject) anchors.push(after as KnownRecord);
    }
  } catch (error) {
    if (error instanceof CommandFailure && error.details.code === 'PERMISSION_DENIED') return null;
    throw error;
  }
  return anchors;
}

/** Formats how much of the chain the audit log vouches for. */
export function formatAnchors({ anchoredTo, last }: ChainVerification): string {
  if (anchoredTo === null)
    return 'the anchors in the audit log were not compared: that needs the scope "read"\n';
  const open = Math.max(0, last.n - anchoredTo);
  const newest = open === 0 ? '' : `; the newest ${counted(open, 'record')} will be anchored within a minute`;
  return `the audit log anchors the chain up to record ${count(anchoredTo)}${newest}\n`;
}
