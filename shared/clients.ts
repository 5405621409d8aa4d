/**
 * The client directory: the clients that may send requests, and their settings for lists that are stale, missing
 * or in shadow. It is one document that the head names, so the edge needs no extra read for a request.
 */
import * as v from 'valibot';
import { utf8 } from './bytes.ts';
import { feedAccessSchema } from './feed/access.ts';
import { keyConditionEntries } from './key-conditions.ts';
import {
  CLIENT_SHORT_CODES_MAX,
  CLIENTS_MAX,
  MAX_STALE_SECONDS_DEFAULT,
  MAX_STALE_SECONDS_MAX,
  MAX_STALE_SECONDS_MIN,
  ORGANISATIONS_MAX,
  QUOTA_NUMBERS_MAX,
} from './limits/control.ts';
import { THROTTLED_NUMBERS } from './limits/enumeration.ts';
import { QUOTA_NUMBERS_DEFAULT } from './limits/requests.ts';
import { INTERNATIONAL_PREFIXES } from './numbers/parse.ts';
import { DEFAULT_ORGANISATION } from './organisations.ts';
import { keySecretsSchema, nameSchema } from './schemas.ts';
import {
  directoryQualificationSchema,
  type QualificationInForce,
  qualificationInForce,
} from './senders/qualification.ts';
import type { ListKeys } from './set/keys.ts';
import { seal, unseal } from './set/seal.ts';

/**
 * `report`: to report spam, for clients of a partner. `feed`: to read the feed. `notices`: to read and acknowledge the
 * notices of the client's organisation.
 */
export const RIGHTS = ['check', 'gateway', 'report', 'feed', 'notices'] as const;
export type Right = (typeof RIGHTS)[number];
/** Rights that only control serves. The edge never sees them. */
export const CONTROL_RIGHTS: readonly Right[] = ['report', 'feed', 'notices'];
export const FAIL_POLICIES = ['open', 'closed'] as const;
/** Whether Korea's rules for senders of domestic texts apply. */
export const SENDER_RULES = ['kr', 'none'] as const;
export const MODES = ['enforce', 'label', 'shadow'] as const;
/** The effect of a sender that is not registered for the client: a block, a label, a reason without effect, or nothing. */
export const REQUIRE_REGISTRATION = ['off', 'enforce', 'label', 'shadow'] as const;
/** The same for a sender without a valid message token. Even with `off`, a presented token must be valid. */
export const REQUIRE_TOKEN = REQUIRE_REGISTRATION;
/** The same for a call or text at a gateway without a valid PASSporT. Even with `off`, a presented PASSporT must be valid. */
export const REQUIRE_IDENTITY = REQUIRE_REGISTRATION;
/** The same for an organisation that is not certified yet: see shared/senders/qualification.ts. */
export const REQUIRE_QUALIFICATION = REQUIRE_REGISTRATION;
/** The effect of the band `suspicious` of a text: a label, or a reason without effect. A score alone never blocks. */
export const ON_SUSPICIOUS_TEXT = ['label', 'shadow'] as const;
/** The action on the client when its organisation seems to read out numbers: see shared/enumeration/. */
export const ON_ENUMERATION = ['report', 'throttle', 'stop'] as const;
/** `throttled` has the quota THROTTLED_NUMBERS, `stopped` has none. */
export const RESTRICTIONS = ['throttled', 'stopped'] as const;

export const clientSchema = v.strictObject({
  /** The part of the client key before the dot. */
  id: nameSchema,
  secretSha256: keySecretsSchema,
  ...keyConditionEntries,
  /** The organisation that the client belongs to. While it is suspended, the key does not work. */
  organisation: v.optional(nameSchema, DEFAULT_ORGANISATION),
  rights: v.pipe(v.array(v.picklist(RIGHTS)), v.maxLength(RIGHTS.length)),
  /** What to do on `indeterminate`: let pass (`open`) or hold back (`closed`). */
  failPolicy: v.optional(v.picklist(FAIL_POLICIES), 'open'),
  /** Data older than this makes the verdict `indeterminate`. */
  maxStaleSeconds: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(MAX_STALE_SECONDS_MIN, `must be at least ${MAX_STALE_SECONDS_MIN} seconds`),
      v.maxValue(MAX_STALE_SECONDS_MAX, `must be at most ${MAX_STALE_SECONDS_MAX} seconds, which are 7 days`),
    ),
    MAX_STALE_SECONDS_DEFAULT,
  ),
  /**
   * `label` turns block into label, and `shadow` turns both into allow. The response still reports the original
   * verdict.
   */
  mode: v.optional(v.picklist(MODES), 'enforce'),
  /** How the client writes foreign numbers without a plus: see `InternationalPrefix`. Null if unknown. */
  internationalPrefix: v.optional(v.nullable(v.picklist(INTERNATIONAL_PREFIXES)), null),
  /** Whether the sender of a domestic text must follow Korea's rules: see `data/kr-sender-rules.json`. */
  senderRules: v.optional(v.picklist(SENDER_RULES), 'kr'),
  /** Whether the client may send only from numbers that are registered for it. */
  requireRegistration: v.optional(v.picklist(REQUIRE_REGISTRATION), 'off'),
  /** Whether each sender must come with a message token: see shared/credentials/sender-token.ts. */
  requireToken: v.optional(v.picklist(REQUIRE_TOKEN), 'off'),
  /** Whether each call or text at a gateway must come with a PASSporT: see shared/credentials/identity.ts. */
  requireIdentity: v.optional(v.picklist(REQUIRE_IDENTITY), 'off'),
  /** Whether its organisation must be certified. A suspended, cancelled or expired qualification always blocks. */
  requireQualification: v.optional(v.picklist(REQUIRE_QUALIFICATION), 'off'),
  onSuspiciousText: v.optional(v.picklist(ON_SUSPICIOUS_TEXT), 'shadow'),
  /** Whether the client is for tests of a sender's systems. Its registrations are mock too, and its responses say so. */
  mock: v.optional(v.boolean(), false),
  /** Whether to record each block, with the number keyed: see shared/screening/block-record.ts. */
  recordBlocks: v.optional(v.boolean(), false),
  onEnumeration: v.optional(v.picklist(ON_ENUMERATION), 'report'),
  /** Set when enumeration is detected, and removed by an admin. Null for no restriction. */
  restriction: v.optional(v.nullable(v.picklist(RESTRICTIONS)), null),
  /** Numbers per minute: see `quotaOf`, and workers/edge/quota.ts. */
  quotaNumbers: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1, 'must be at least 1 number a minute'),
      v.maxValue(QUOTA_NUMBERS_MAX, `must be at most ${QUOTA_NUMBERS_MAX} numbers a minute`),
    ),
    QUOTA_NUMBERS_DEFAULT,
  ),
  /** Korean short codes that the client owns and may send from. */
  shortCodes: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.regex(/^\d{3,8}$/, 'must be a short code of 3 to 8 digits'))),
      v.maxLength(CLIENT_SHORT_CODES_MAX),
    ),
    [],
  ),
  /** How the client gets the data of the feed. Set for clients with the right `feed`. The edge never sees it. */
  feed: v.optional(v.nullable(feedAccessSchema)),
});
export type Client = v.InferOutput<typeof clientSchema>;

/** Names by client, because a check must not join strings. */
const registrants = new WeakMap<object, string>();
/** The last client: all numbers of a stream have the same one. This skips the map, which takes four times as long. */
let lastClient: object | null = null;
let lastRegistrant = '';

/** Returns the name of a client in registrations: `<organisation>/<client>`. */
export function registrantOf(client: Pick<Client, 'id' | 'organisation'>): string {
  if (client === lastClient) return lastRegistrant;
  lastClient = client;
  lastRegistrant = registrants.get(client) ?? `${client.organisation}/${client.id}`;
  registrants.set(client, lastRegistrant);
  return lastRegistrant;
}

/** Returns how many numbers per minute the client may check now. */
export function quotaOf({ quotaNumbers, restriction }: Client): number {
  if (restriction === null) return quotaNumbers;
  return restriction === 'stopped' ? 0 : Math.min(quotaNumbers, THROTTLED_NUMBERS);
}

const directoryOrganisationSchema = v.object({
  id: nameSchema,
  senderCode: v.optional(v.nullable(v.string()), null),
  qualification: v.optional(v.nullable(directoryQualificationSchema), null),
  /** Present only if the organisation is suspended: nobody sends for it, and it sends for nobody. */
  suspended: v.optional(v.literal(true)),
});
/** An organisation in the directory, which has only those with a sender code or a qualification, and suspended ones. */
export type DirectoryOrganisation = v.InferOutput<typeof directoryOrganisationSchema>;

/** The content of the directory, before it is sealed. */
export interface DirectoryContent {
  readonly clients: readonly Client[];
  readonly organisations: readonly DirectoryOrganisation[];
}

/** The part of an organisation that screening needs. */
export interface ScreenedOrganisation {
  readonly senderCode: string | null;
  /** Null if no qualification was recorded. */
  readonly qualification: QualificationInForce | null;
  readonly isSuspended: boolean;
}

/** A directory in memory. */
export interface Directory {
  readonly clients: ReadonlyMap<string, Client>;
  /** By ID, for `screen`. */
  readonly organisations: ReadonlyMap<string, ScreenedOrganisation>;
  readonly content: DirectoryContent;
}

/** Ignores unknown fields, because a newer control plane may have written them. */
const directorySchema = v.object({
  kind: v.literal('numgate-clients'),
  format: v.literal(3),
  clients: v.pipe(v.array(v.object(clientSchema.entries)), v.maxLength(CLIENTS_MAX)),
  organisations: v.optional(v.pipe(v.array(directoryOrganisationSchema), v.maxLength(ORGANISATIONS_MAX)), []),
});

/** Serializes and seals the directory. Without LIST_KEY, nobody can read or create one. */
export function sealDirectory(
  { clients, organisations }: DirectoryContent,
  keys: ListKeys,
): Promise<Uint8Array<ArrayBuffer>> {
  // Settings with default values are left out, so that older edges can read the directory.
  const written = clients.map(({ organisation, onEnumeration, restriction, rights, ...some }) => {
    const { requireRegistration, requireToken, requireIdentity, requireQualification, ...more } = some;
    const { onSuspiciousText, mock, ...others } = more;
    // No edge needs `feed`.
    const { feed: _, ...rest } = others;
    return {
      ...rest,
      // An older edge would refuse a directory with rights of control, and no edge needs them.
      rights: rights.filter((right) => !CONTROL_RIGHTS.includes(right)),
      ...(organisation === DEFAULT_ORGANISATION ? {} : { organisation }),
      // Clients that were stored by older versions lack these settings.
      ...((onEnumeration ?? 'report') === 'report' ? {} : { onEnumeration }),
      ...((restriction ?? null) === null ? {} : { restriction }),
      ...((requireRegistration ?? 'off') === 'off' ? {} : { requireRegistration }),
      ...((requireToken ?? 'off') === 'off' ? {} : { requireToken }),
      ...((requireIdentity ?? 'off') === 'off' ? {} : { requireIdentity }),
      ...((requireQualification ?? 'off') === 'off' ? {} : { requireQualification }),
      ...((onSuspiciousText ?? 'shadow') === 'shadow' ? {} : { onSuspiciousText }),
      ...(mock === true ? { mock } : {}),
    };
  });
  const text = JSON.stringify({
    ...{ kind: 'numgate-clients', format: 3, clients: written },
    // Left out for older edges, too.
    ...(organisations.length === 0 ? {} : { organisations }),
  });
  return seal(utf8(text), keys);
}

/** Opens a directory. Returns null if the bytes are not a directory sealed with these keys. */
export async function openDirectory(
  bytes: Uint8Array<ArrayBuffer>,
  keys: ListKeys,
): Promise<Directory | null> {
  const content = await unseal(bytes, keys);
  if (content === null) return null;
  try {
    const parsed = v.safeParse(directorySchema, JSON.parse(new TextDecoder().decode(content)));
    return parsed.success ? directoryOf(parsed.output) : null;
  } catch {
    return null;
  }
}

function directoryOf({ clients, organisations }: DirectoryContent): Directory {
  const screened = organisations.map((each): [string, ScreenedOrganisation] => {
    const { id, senderCode, suspended = false } = each;
    const qualification = each.qualification && qualificationInForce(each.qualification);
    return [id, { senderCode, qualification, isSuspended: suspended }];
  });
  return {
    clients: new Map(clients.map((client) => [client.id, client])),
    organisations: new Map(screened),
    content: { clients, organisations },
  };
}
