// Shared by the four loads: the address, the seeded requests, one connection a virtual user.
// Message types come from the server's reflection, so no proto path is needed.
import { check } from 'k6';
import { SharedArray } from 'k6/data';
import exec from 'k6/execution';
import grpc from 'k6/net/grpc';

const ADDRESS = __ENV.FOLDIN_ADDRESS || '127.0.0.1:50051';
const SERVICE = 'foldin.v1.RecommendationService';
const client = new grpc.Client();

// The requests of deploy/data/NAME.json, held once for all virtual users.
export function requests(name) {
  return new SharedArray(name, () => JSON.parse(open(`../data/${name}.json`)));
}

// Ends after `iterations` calls or 20 seconds, whichever comes first.
export function options(iterations) {
  return {
    scenarios: {
      load: { executor: 'shared-iterations', vus: 16, iterations, maxDuration: '20s' },
    },
    thresholds: {
      checks: ['rate>0.999'],
      grpc_req_duration: ['p(99)<500'],
    },
    summaryTrendStats: ['min', 'avg', 'med', 'p(90)', 'p(99)', 'max'],
  };
}

// The next request, a new one every `every` iterations; the first follows the last.
export function next(entries, every = 1) {
  return entries[Math.floor(exec.scenario.iterationInTest / every) % entries.length];
}

export function call(method, request) {
  if (exec.vu.iterationInScenario === 0) {
    client.connect(ADDRESS, { plaintext: true, reflect: true, timeout: '5s' });
  }
  const response = client.invoke(`${SERVICE}/${method}`, request, { timeout: '5s' });
  check(response, { [`${method} is OK`]: (r) => r && r.status === grpc.StatusOK });
  return response;
}

// Every write has an id of its own; a repeated one would be answered without writing.
export function submit(request) {
  return call('SubmitRating', { ...request, request_id: crypto.randomUUID() });
}
