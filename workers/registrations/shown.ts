/** Registrations as responses show them. */
import type {
  OtherRegistration,
  Publication,
  Registration,
  RegistrationVersion,
} from '../../shared/senders/registration.ts';
import { isInForce } from '../../shared/senders/registration-states.ts';
import type { StoredRegistration, StoredVersion } from './registration-rows.ts';

/** The registration as a response shows it. */
export function shown(registration: StoredRegistration, organisation: string): Registration {
  const { id, newest, approved, isMock } = registration;
  const isOlderApproved = approved !== null && approved.version !== newest.version;
  return {
    ...{ organisation, id: String(id), ...versionShown(newest), state: registration.state },
    approvedVersion: registration.approvedVersion,
    ...(isOlderApproved ? { approved: versionShown(approved) } : {}),
    ...(isMock ? { mock: true as const } : {}),
    ...(registration.certificate === null ? {} : { certificate: registration.certificate }),
    ...{ claimedBy: registration.claimedBy, claimedUntil: timeOf(registration.claimedUntil) },
    ...{ reasons: registration.reasons, publication: publicationOf(registration) },
    ...{ publishedAt: timeOf(registration.publishedAt), createdAt: timeOf(registration.createdAt)! },
    ...{ updatedAt: timeOf(registration.updatedAt)!, submittedAt: timeOf(registration.submittedAt) },
  };
}

/** The registration as a reviewer of another registration sees it: the version in force, or else the newest. */
export function other(registration: StoredRegistration, organisation: string): OtherRegistration {
  const { id, newest, approved, state } = registration;
  const inForce = isInForce(registration);
  const { number, basis, holder } = (inForce ? approved! : newest).content;
  return { organisation, id: String(id), number, basis, holder, state, inForce };
}

function versionShown({ version, content, endsAt }: StoredVersion): RegistrationVersion {
  return { version, ...content, endsAt: timeOf(endsAt) };
}

function publicationOf(registration: StoredRegistration): Publication {
  if (registration.publishN === null) return 'none';
  if (registration.isWaiting) return isInForce(registration) ? 'waiting' : 'pending';
  return registration.publishedAt === null ? 'pending' : 'published';
}

/** RFC 3339. @param ms since 1970 */
function timeOf<Ms extends number | null>(ms: Ms): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
