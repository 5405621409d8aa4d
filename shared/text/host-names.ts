/** Names of hosts: the part of a run of labels that can be a host, and the canonical form of a host. */
import topLevel from '../../data/top-level-domains.json' with { type: 'json' };

/** The end of a host in ASCII: a label of letters, or an IDNA label, up to a dash or an underscore. */
const ASCII_ENDING = /^(?:xn--[a-z0-9-]*[a-z0-9]|[a-z]{2,63})(?![a-z0-9])/;
/**
 * The same in any script. The only endings in Hangul are 한국 (Korea), 삼성, 닷넷 and 닷컴. Other Hangul is a particle that
 * follows the host without a space.
 */
const ENDING =
  /^(?:xn--[a-z0-9-]*[a-z0-9]|[a-z]{2,63}(?![a-z0-9])|한국|삼성|닷넷|닷컴|(?:(?![a-z]|\p{Script=Hangul})[\p{L}\p{M}]){2,63})/u;
const ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

/** Endings of most hosts in texts. Other endings end a sentence more often than a host. */
const COMMON_ENDINGS = new Set(
  'com net org info biz xyz top shop site online store club vip app live link click work icu pro kr co cc tk cn jp us uk tv io ru'.split(
    ' ',
  ),
);

/** Read only in isolates that need it. */
let topLevelDomains: ReadonlySet<string> | null = null;

/** The part of a run of labels that is a host. */
export interface CutHost {
  /** In lower case. */
  readonly name: string;
  /** Where it begins and ends in the run. */
  readonly first: number;
  readonly last: number;
}

/** Whether four decimal numbers are an IPv4 address, which phones open without a scheme. */
export function isAddress(run: string): boolean {
  return ADDRESS.test(run);
}

export function isCommonEnding(host: string): boolean {
  return COMMON_ENDINGS.has(endingOf(host));
}

export function endingOf(host: string): string {
  return host.slice(host.lastIndexOf('.') + 1);
}

/** Whether a phone opens a host that is written without a scheme: an address, or a host with an ending that exists. */
export function isOpened(host: string): boolean {
  topLevelDomains ??= readTopLevel();
  return topLevelDomains.has(endingOf(host)) || isAddress(host);
}

/** Unpacks the list: a capital says how many characters an ending shares with the one before. It saves a quarter. */
function readTopLevel(): ReadonlySet<string> {
  const endings = new Set<string>();
  let ending = '';
  for (const [, shared, rest] of topLevel.endings.matchAll(/([A-Z])([^A-Z]*)/g)) {
    ending = ending.slice(0, shared!.charCodeAt(0) - 0x41) + rest!;
    endings.add(ending);
  }
  return endings;
}

/**
 * The host that a phone opens in `evil.example.Please`, where no space follows the end of a sentence: the longest part with
 * an ending that exists. Null if the whole host has such an ending, or if no part has one.
 */
export function hostBeforeWords(host: string): string | null {
  if (isOpened(host)) return null;
  for (let end = host.lastIndexOf('.'); end > 0; end = host.lastIndexOf('.', end - 1)) {
    const shorter = host.slice(0, end);
    if (!shorter.includes('.')) return null;
    if (isOpened(shorter)) return shorter;
  }
  return null;
}

/** The host with the last possible ending in a run of ASCII; null if there is none. */
export function asciiHostIn(run: string): CutHost | null {
  return cutAt(run.toLowerCase(), ASCII_ENDING);
}

/** The same in any script. @param run in NFKC and lower case, with `.` for every dot */
export function idnHostIn(run: string): CutHost | null {
  return cutAt(run, ENDING);
}

/** The host as the URL standard parses it (IDNA, IPv4 in any notation), or null if it is not a host. */
export function canonical(host: string): string | null {
  const hostname = URL.parse(`http://${host}`)?.hostname ?? '';
  return hostname.includes('.') && !hostname.startsWith('[') ? hostname.replace(/\.$/, '') : null;
}

/** Dashes at the beginning belong to no host: `-www.example.com` is an item of a list. */
function cutAt(run: string, ending: RegExp): CutHost | null {
  const first = /^[-_.]*/.exec(run)![0].length;
  let end = run.length;
  for (;;) {
    const dot = run.lastIndexOf('.', end - 1);
    if (dot <= first) return null;
    const [label] = ending.exec(run.slice(dot + 1, end)) ?? [];
    if (label !== undefined) {
      const last = dot + 1 + label.length;
      return { name: run.slice(first, last), first, last };
    }
    end = dot;
  }
}
