/**
 * Checks the URLs of webhooks: https only, a host name on the list of the organisation, and nothing that could be inside a
 * private network. A URL is checked when its webhook is added, and again before each attempt.
 */
import * as v from 'valibot';
import { WEBHOOK_HOST_CHARS_MAX, WEBHOOK_HOSTS_MAX, WEBHOOK_URL_CHARS_MAX } from '../limits/notices.ts';
import { type Failure, fail, ok, type Result } from '../result.ts';

export type WebhookUrlProblem =
  | 'WEBHOOK_URL_INVALID'
  | 'WEBHOOK_URL_INSECURE'
  | 'WEBHOOK_URL_ADDRESS'
  | 'WEBHOOK_HOST_PRIVATE'
  | 'WEBHOOK_HOST_NOT_ALLOWED';

/** Hosts of this machine. Only the local runtime may use them. */
const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
/** Top-level names that no public resolver knows (RFC 6761, RFC 6762, RFC 7686, RFC 8375, ICANN on `.internal`). */
const PRIVATE_NAMES: readonly string[] = [
  ...['localhost', 'local', 'internal', 'intranet', 'private', 'corp', 'home', 'lan', 'arpa', 'onion'],
  ...['test', 'invalid', 'localdomain'],
];
/** The form to which the URL standard converts every literal IPv4 address, even 2130706433, 0x7f.1 and 127.1. */
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST_NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})+$`);
const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;
const HOST_MESSAGE =
  'must be a host name such as hooks.example.com in lower case, with :port if that is not 443';

/** The list of allowed hosts of an organisation. A host is a host name, with its port if that is not 443. */
export const webhookHostsSchema = v.pipe(
  v.array(
    v.pipe(
      v.string(),
      v.maxLength(WEBHOOK_HOST_CHARS_MAX, HOST_MESSAGE),
      v.check((text) => isHost(text), HOST_MESSAGE),
    ),
  ),
  v.maxLength(WEBHOOK_HOSTS_MAX, `must have at most ${WEBHOOK_HOSTS_MAX} hosts`),
  v.check((hosts) => new Set(hosts).size === hosts.length, 'must have each host once'),
);

function isHost(text: string): boolean {
  const [, name = '', port] = /^(.*?)(?::([1-9]\d{0,4}))?$/.exec(text) ?? [];
  if (port !== undefined && (Number(port) > 65_535 || port === '443')) return false;
  if (LOOPBACK_HOST.test(name)) return port !== undefined;
  return HOST_NAME.test(name) && !isPrivate(name) && !IPV4.test(name);
}

function isPrivate(name: string): boolean {
  return !name.includes('.') || PRIVATE_NAMES.includes(name.slice(name.lastIndexOf('.') + 1));
}

/**
 * @param hosts the allowed hosts of the organisation
 * @param isLocal whether this is the local runtime, which allows `http:` to a host on this machine, if it is on the list
 * @returns the URL to fetch
 */
export function checkWebhookUrl(
  text: string,
  hosts: readonly string[],
  isLocal: boolean,
): Result<string, Failure<WebhookUrlProblem>> {
  const url = /[\s\p{C}\\]/u.test(text) || text.length > WEBHOOK_URL_CHARS_MAX ? null : URL.parse(text);
  if (url === null || url.href.length > WEBHOOK_URL_CHARS_MAX) {
    const form = `an absolute URL of at most ${WEBHOOK_URL_CHARS_MAX} characters`;
    return fail('WEBHOOK_URL_INVALID', `"url" must be ${form}, such as https://hooks.example.com/numgate`);
  }
  const { protocol, hostname, host, username, password } = url;
  if (username !== '' || password !== '' || url.hash !== '')
    return fail(
      'WEBHOOK_URL_INVALID',
      '"url" must not have a user name, password or fragment: leave them out',
    );
  const isAllowed = hosts.includes(host);
  if (isLocal && LOOPBACK.includes(hostname) && ['http:', 'https:'].includes(protocol))
    return isAllowed ? ok(url.href) : NOT_ALLOWED;
  if (protocol !== 'https:') return fail('WEBHOOK_URL_INSECURE', '"url" must begin with https://');
  if (IPV4.test(hostname) || hostname.startsWith('['))
    return fail('WEBHOOK_URL_ADDRESS', '"url" must have a host name, not a literal address');
  if (!HOST_NAME.test(hostname) || isPrivate(hostname)) {
    const message = '"url" must have a public host name of several labels, without a dot at its end';
    return fail('WEBHOOK_HOST_PRIVATE', message);
  }
  return isAllowed ? ok(url.href) : NOT_ALLOWED;
}

const NOT_ALLOWED = fail(
  'WEBHOOK_HOST_NOT_ALLOWED',
  'the host of "url" is not on the list of the organisation: have it added with npx numgate webhooks hosts ' +
    '(scope: clients), with :port if that is not 443',
);
