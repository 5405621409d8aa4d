/**
 * Organisations, to which clients, admin tokens and signing keys belong. An organisation that vouches for lists has
 * an authority, which is the name under which it vouches. Its tokens and signing keys change only the lists and
 * entries of that authority.
 */
import * as v from 'valibot';
import { CONTACT_CHARS_MAX, DISPLAY_NAME_CHARS_MAX } from './limits/control.ts';
import { DECLARED_NUMBERS_MAX } from './limits/enumeration.ts';
import { webhookHostsSchema } from './notices/webhook-url.ts';
import { partnerSchema } from './reports/partner-settings.ts';
import { ROLES } from './roles.ts';
import { nameSchema } from './schemas.ts';
import { SENDER_CODE_PATTERN } from './senders/qualification.ts';

/** Always exists. Clients and tokens belong to it unless they name another organisation. */
export const DEFAULT_ORGANISATION = 'default';

/** The tokens, client keys and signing keys of a suspended organisation do not work. */
export const ORGANISATION_STATES = ['active', 'suspended'] as const;

/** Authority of the entries of the token `root`. */
export const ROOT_AUTHORITY = 'root';
/** Authority of the service's own changes. */
export const SYSTEM_AUTHORITY = 'numgate';
const RESERVED: readonly string[] = [ROOT_AUTHORITY, SYSTEM_AUTHORITY];

/** Text for people. It has no control characters, because terminals and pages show it unchanged. */
function lineSchema(charsMax: number) {
  const message = `must be one line of at most ${charsMax} characters`;
  return v.pipe(v.string(), v.trim(), v.regex(/^\P{C}*$/u, message), v.maxLength(charsMax, message));
}

/** Whether a verified certificate approves its registrations (`approve`), or leaves them to a reviewer (`review`). */
export const CERTIFICATE_APPROVALS = ['review', 'approve'] as const;

export const organisationSchema = v.strictObject({
  id: nameSchema,
  displayName: v.pipe(lineSchema(DISPLAY_NAME_CHARS_MAX), v.minLength(1, 'must not be empty')),
  /** Null if the organisation vouches for no lists. Unique to the organisation. */
  authority: v.optional(
    v.nullable(
      v.pipe(
        nameSchema,
        v.check((name) => !RESERVED.includes(name), `must not be ${RESERVED.join(' or ')}: it is reserved`),
      ),
    ),
    null,
  ),
  roles: v.optional(v.pipe(v.array(v.picklist(ROLES)), v.maxLength(ROLES.length)), []),
  /** How to reach the organisation: a mailbox, a telephone extension, a web page. */
  contact: v.optional(lineSchema(CONTACT_CHARS_MAX), ''),
  state: v.optional(v.picklist(ORGANISATION_STATES), 'active'),
  certificateApproval: v.optional(v.picklist(CERTIFICATE_APPROVALS), 'review'),
  /** Identifies the organisation in its texts, and in tokens as `osc`. Unique to the organisation. Null if it has none. */
  senderCode: v.optional(
    v.nullable(
      v.pipe(v.string(), v.regex(SENDER_CODE_PATTERN, 'must be 4 to 20 capital letters and digits')),
    ),
    null,
  ),
  /** Whether it sells the service of relays (문자재판매사). Statistics then count its sender code as a reseller, not a relay. */
  reseller: v.optional(v.boolean(), false),
  /** Declared volume: numbers that all its clients check on an ordinary day; null if none was declared. */
  declaredNumbers: v.optional(
    v.nullable(
      v.pipe(
        v.number(),
        v.integer(),
        v.minValue(1, 'must be at least 1 number a day'),
        v.maxValue(DECLARED_NUMBERS_MAX, `must be at most ${DECLARED_NUMBERS_MAX} numbers a day`),
      ),
    ),
    null,
  ),
  /** Settings of a partner, whose clients with the right `report` may report spam. Null if it is not a partner. */
  partner: v.optional(v.nullable(partnerSchema), null),
  /** Hosts to which its webhooks may go: see shared/notices/webhook-url.ts. */
  webhookHosts: v.optional(webhookHostsSchema, []),
});
export type Organisation = v.InferOutput<typeof organisationSchema>;

/** The default settings, also for an organisation of which only the ID is left after a restore. */
export function bareOrganisation(id: string): Organisation {
  const roles = id === DEFAULT_ORGANISATION ? [...ROLES] : [];
  return {
    ...{ id, displayName: id, authority: null, roles, contact: '', state: 'active' },
    ...{ certificateApproval: 'review', senderCode: null, reseller: false, declaredNumbers: null },
    ...{ partner: null, webhookHosts: [] },
  };
}
