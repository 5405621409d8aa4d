/** Ordinary traffic of one organisation, day by day. None of it is a scan. */
import { MOBILE_COUNT, MOBILE_FROM, type Random, type Subscribers } from './subscribers.ts';

export interface OrdinaryTraffic {
  readonly name: string;
  /** Share of the simulated time that this kind gets. Busy kinds take long to simulate. */
  readonly share: number;
  /** Numbers of each day, in order. Days without traffic are empty. */
  readonly days: (random: Random, subscribers: Subscribers) => Generator<Iterable<number>>;
}

/** Yields numbers every `days` days, and nothing on the other days. */
function every(days: number, numbers: () => Iterable<number>): Generator<Iterable<number>> {
  return (function* loop() {
    for (let day = 0; ; day++) yield day % days === 0 ? numbers() : [];
  })();
}

function ascending(numbers: readonly number[]): number[] {
  return Array.from(Float64Array.from(numbers).sort());
}

function drawFrom(list: readonly number[], random: Random): number {
  return list[Math.floor(random() * list.length)]!;
}

export const ORDINARY_TRAFFIC: readonly OrdinaryTraffic[] = [
  {
    name: 'weekly campaign, 100,000 customers',
    share: 1,
    days: (_, people) => every(7, () => people.list(100_000)),
  },
  {
    name: 'weekly campaign, 100,000 customers, sorted',
    share: 1,
    days: (_, people) => every(7, () => ascending(people.list(100_000))),
  },
  {
    name: 'weekly campaign, 100,000 customers, 5 % with a wrong digit',
    share: 1,
    days: (random, people) => {
      const typed = (): number => {
        const n = people.mobile();
        if (random() >= 0.05) return n;
        const place = 10 ** Math.floor(random() * 8);
        return n + (Math.floor(random() * 10) - (Math.floor(n / place) % 10)) * place;
      };
      return every(7, () => people.list(100_000, typed));
    },
  },
  {
    name: 'one-time codes, 100,000 a day to 500,000 customers',
    share: 1,
    days: (random, people) => {
      const customers = people.list(500_000);
      return every(1, () => people.list(100_000, () => drawFrom(customers, random)));
    },
  },
  {
    name: 'reminders, the same 20,000 every day',
    share: 1,
    days: (_, people) => {
      const customers = ascending(people.list(20_000));
      return every(1, () => customers);
    },
  },
  {
    name: 'the same 500 numbers every hour',
    share: 1,
    days: (_, people) => {
      const customers = people.list(500);
      return every(1, () => Array.from({ length: 24 }, () => customers).flat());
    },
  },
  {
    name: 'small organisation, 200 customers, half of them near',
    share: 1,
    days: (random, people) => {
      const near = (): number => (random() < 0.5 ? people.fixed() : people.mobile());
      const customers = people.list(200, near);
      return every(1, () => people.list(50, () => drawFrom(customers, random)));
    },
  },
  {
    name: 'weekly campaign, 50,000 subscribers of 100 exchanges, sorted',
    share: 1,
    days: (_, people) => every(7, () => ascending(people.list(50_000, () => people.fixed()))),
  },
  {
    name: "a company's own 1,000 extensions in a row, every day",
    share: 1,
    days: (random) => {
      const start = MOBILE_FROM + Math.floor(random() * (MOBILE_COUNT / 1_000)) * 1_000;
      const extensions = Array.from({ length: 1_000 }, (_, place) => start + place);
      return every(1, () => extensions);
    },
  },
  {
    name: 'relay, 1,000,000 a day',
    share: 0.05,
    days: (_, people) => every(1, () => people.list(1_000_000)),
  },
  {
    name: 'an operator to all its 1,200,000 subscribers in 200 blocks, monthly, sorted',
    share: 1,
    days: (_, people) => every(30, () => people.operatorBase(40)),
  },
];
