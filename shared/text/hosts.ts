/**
 * Finds the hosts in a text. Every spelling that a phone could open counts, so a text can have hosts that were not meant
 * as links, such as `ok.thanks`: nobody lists those.
 */
import { HOST_CHARS_MAX, TEXT_HOSTS_MAX } from '../limits/text.ts';

/**
 * A link or a bare host: scheme and user, labels, port, path. It begins where a run of letters begins, so that a long
 * word is read once. The path ends before Hangul, because particles follow a link without a space.
 */
const LINK =
  /(?<![\p{L}\p{N}_-])(?:[a-z]{2,12}:[/\\]{2}(?:[^\s/\\?#@]{1,64}@)?)?[\p{L}\p{N}_-]{1,63}(?:[.\u3002\uff0e\uff61][\p{L}\p{N}_-]{1,63})+(?::\d{1,5})?(?:[/\\?#][\x21-\x7e]*)?/giu;
/** A host as browsers also read it: `http://3232235777/`. */
const NUMERIC_LINK = /https?:[/\\]{2}(?:[^\s/\\?#@]{1,64}@)?(0x[0-9a-f]{1,8}|\d{1,10})(?![\p{L}\p{N}._-])/giu;
const LINK_PARTS = /^([a-z]{2,12}:[/\\]{2})?(?:([^\s/\\?#@]*)@)?([^:/\\?#]+)(.*)$/iu;
/** ASCII labels within a longer run: `바로가기evil.example에서`. */
const ASCII_HOST = /[a-z0-9_-]+(?:\.[a-z0-9_-]+)+/gi;
const PLAIN_HOST = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/i;
const DOT = /[.\u3002\uff0e\uff61]/;
/** `12.500` and `3.5` are amounts; an address needs a scheme. */
const NUMERIC_END = /\.\d+$/;

export interface FoundLinks {
  /** Hosts in canonical form: lower case, IDNA as `xn--`, no dot at the end. Each once, at most TEXT_HOSTS_MAX. */
  readonly hosts: readonly string[];
  /** Whether a scheme, `www.` or a path shows that a link is meant. */
  readonly hasLink: boolean;
  /** The text with LINK_MARK in place of each link. */
  readonly rest: string;
}

/** Stands for a link: U+FFFC, the object replacement character. */
export const LINK_MARK = '\ufffc';

const NO_HOSTS: readonly string[] = [];

/** @param text without hidden characters */
export function findLinks(text: string): FoundLinks {
  if (!DOT.test(text) && !text.includes('//')) return { hosts: NO_HOSTS, hasLink: false, rest: text };
  const hosts = new Set<string>();
  let hasLink = false;
  const add = (host: string): void => {
    if (hosts.size < TEXT_HOSTS_MAX && host.length <= HOST_CHARS_MAX) hosts.add(host);
  };
  const rest = text
    .replace(LINK, (link) => {
      const [, scheme = '', user = '', authority = '', tail = ''] = LINK_PARTS.exec(link) ?? [];
      const found = hostsOf(authority, scheme !== '');
      // `http://bank.example@evil.example/`: both are looked up.
      if (user !== '') found.push(...hostsOf(user, false));
      if (found.length === 0) return link;
      for (const host of found) add(host);
      hasLink ||= scheme !== '' || tail !== '' || /^www\./i.test(authority);
      return LINK_MARK;
    })
    .replace(NUMERIC_LINK, (link, address: string) => {
      const host = canonical(address);
      if (host === null) return link;
      add(host);
      hasLink = true;
      return LINK_MARK;
    });
  return { hosts: [...hosts], hasLink, rest };
}

/** The hosts that an authority can mean: as a whole, and the ASCII part of a longer run. */
function hostsOf(authority: string, hasScheme: boolean): string[] {
  if (PLAIN_HOST.test(authority)) {
    if (!NUMERIC_END.test(authority)) return [authority.toLowerCase()];
    const address = hasScheme ? canonical(authority) : null;
    return address === null ? [] : [address];
  }
  const inside = (authority.match(ASCII_HOST) ?? []).filter((host) => !NUMERIC_END.test(host));
  const whole = canonical(authority);
  return [...(whole === null ? [] : [whole]), ...inside.map((host) => host.toLowerCase())];
}

/** The host as the URL standard parses it (IDNA, IPv4 in any notation), or null if it is none. */
export function canonical(host: string): string | null {
  const hostname = URL.parse(`http://${host}`)?.hostname ?? '';
  return hostname.includes('.') ? hostname.replace(/\.$/, '') : null;
}
