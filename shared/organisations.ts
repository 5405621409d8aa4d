/**
 * Organisations: what clients, admin tokens and signing keys belong to. An organisation that vouches for lists
 * has an authority, the name under which it does so; its tokens and its signing keys change only the lists and
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

/** Always exists. Clients and tokens belong to it unless they name another one. */
export const DEFAULT_ORGANISATION = 'default';

/** The tokens, client keys and signing keys of a suspended organisation do not work. */
export const ORGANISATION_STATES = ['active', 'suspended'] as const;

/** Authority of the entries of the token `root`. */
export const ROOT_AUTHORITY = 'root';
/** Authority of changes that the service makes itself. */
export const SYSTEM_AUTHORITY = 'numgate';
const RESERVED: readonly string[] = [ROOT_AUTHORITY, SYSTEM_AUTHORITY];

/** Text for people, which terminals and pages show as it is. */
function lineSchema(charsMax: number) {
  const message = `must be one line of at most ${charsMax} characters`;
  return v.pipe(v.string(), v.trim(), v.regex(/^\P{C}*$/u, message), v.maxLength(charsMax, message));
}

/** Whether a verified certificate approves its registrations, or leaves them to a reviewer. */
export const CERTIFICATE_APPROVALS = ['review', 'approve'] as const;

export const organisationSchema = v.strictObject({
  id: nameSchema,
  displayName: v.pipe(lineSchema(DISPLAY_NAME_CHARS_MAX), v.minLength(1, 'must not be empty')),
  /** Null if it vouches for no lists. No two organisations have the same. */
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
  /** How to reach its people: a mailbox, a telephone extension, a web page. */
  contact: v.optional(lineSchema(CONTACT_CHARS_MAX), ''),
  state: v.optional(v.picklist(ORGANISATION_STATES), 'active'),
  certificateApproval: v.optional(v.picklist(CERTIFICATE_APPROVALS), 'review'),
  /** Identifies it in its texts, and in tokens as `osc`. No two organisations have the same. Null if it has none. */
  senderCode: v.optional(
    v.nullable(
      v.pipe(v.string(), v.regex(SENDER_CODE_PATTERN, 'must be 4 to 20 capital letters and digits')),
    ),
    null,
  ),
  /** Whether it sells the service of relays (문자재판매사): statistics count its sender code among resellers, not relays. */
  reseller: v.optional(v.boolean(), false),
  /** Numbers that its clients check on an ordinary day, together; null if it declared nothing. */
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
  /** What it is as a partner: its clients with the right `report` may report spam. Null if it is none. */
  partner: v.optional(v.nullable(partnerSchema), null),
  /** Where its webhooks may go: see notices/webhook-url.ts. */
  webhookHosts: v.optional(webhookHostsSchema, []),
});
export type Organisation = v.InferOutput<typeof organisationSchema>;

/** As it is at first, and for an organisation of which only the ID is left after a restore. */
export function bareOrganisation(id: string): Organisation {
  const roles = id === DEFAULT_ORGANISATION ? [...ROLES] : [];
  return {
    ...{ id, displayName: id, authority: null, roles, contact: '', state: 'active' },
    ...{ certificateApproval: 'review', senderCode: null, reseller: false, declaredNumbers: null },
    ...{ partner: null, webhookHosts: [] },
  };
}
