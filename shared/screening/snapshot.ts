/**
 * The data for one request, pinned when it starts: one head, the keys and the times.
 * The settings of the client are passed separately.
 */
import type { Client, ScreenedOrganisation } from '../clients.ts';
import type { PassportVerification } from '../credentials/identity.ts';
import type { PublishedCredentials } from '../credentials/published.ts';
import type { TokenVerification } from '../credentials/sender-token.ts';
import type { LiveLayer } from '../live/live-layer.ts';
import type { VersionedPolicy } from '../policy/policy.ts';
import type { Release } from '../release/release.ts';
import type { RegistrationOverlay } from '../senders/registration-overlay.ts';
import type { ListKeys } from '../set/keys.ts';
import type { PublishedText } from '../text/published.ts';
import type { ScreenedText } from './screened-text.ts';

export interface Snapshot {
  /** Null if the head names no release: no list is in force. */
  readonly release: Release | null;
  /** Changes made since the release. */
  readonly live: LiveLayer;
  /** Changes to registered senders since the release. */
  readonly registrations: RegistrationOverlay;
  /** Organisations with a sender code or a qualification, by ID. */
  readonly organisations: ReadonlyMap<string, ScreenedOrganisation>;
  /** Certificates and delegations: where they are, and their status. */
  readonly credentials: PublishedCredentials;
  /** The verification of each message token of the request, by the text of the token. */
  readonly tokens: ReadonlyMap<string, TokenVerification>;
  /** The verification of each value of `identity`, by its text. */
  readonly passports: ReadonlyMap<string, PassportVerification>;
  /** The text release and the campaigns; NO_TEXT until a request with a text has loaded them. */
  readonly text: PublishedText;
  /** Findings of the texts of a batch or stream so far, by text. `screen` analyses the texts that are missing here. */
  readonly texts: ReadonlyMap<string, ScreenedText>;
  /** The gateway policy for traffic from abroad. */
  readonly policy: VersionedPolicy;
  /** The keys of the live layer. A release has its own, which differ while LIST_KEY is rotated. */
  readonly keys: ListKeys;
  readonly seq: number;
  /** When the head was last known to be current, in ms since 1970. */
  readonly asOf: number;
  /** Now, in ms since 1970. */
  readonly now: number;
}

/** The client settings that affect a verdict. */
export type ClientSettings = Pick<
  Client,
  | 'failPolicy'
  | 'id'
  | 'maxStaleSeconds'
  | 'mode'
  | 'onSuspiciousText'
  | 'organisation'
  | 'requireIdentity'
  | 'requireQualification'
  | 'requireRegistration'
  | 'requireToken'
  | 'senderRules'
  | 'shortCodes'
>;
