// A program as people write it with node-vault, unmodified: the address, the root token and a name come from the environment.
// Prints "ok: <step>" for each step; ends with status 1 and the reason at the first that fails.
import assert from 'node:assert/strict';
import nodeVault from 'node-vault';

const endpoint = process.env.PROGRAM_ADDRESS;
const as = (token) => nodeVault({ apiVersion: 'v1', endpoint, token });
const root = as(process.env.PROGRAM_TOKEN);
// The client takes on the token it created, so that every creation needs a client of its own.
const create = (options) => as(process.env.PROGRAM_TOKEN).tokenCreate(options);
const name = process.env.PROGRAM_NAME;

async function refused(promise, statusCode) {
  const error = await promise.then(() => null, (reason) => reason);
  assert.ok(error, 'the request was answered');
  assert.equal(error.response?.statusCode, statusCode, error.message);
}

const steps = {
  async status() {
    assert.equal((await root.initialized()).initialized, true);
    assert.equal((await root.status()).sealed, false);
    assert.equal((await root.health()).standby, false);
  },
  async mounts() {
    await root.mount({ mount_point: `${name}-kv1`, type: 'kv', description: 'plain' });
    await root.mount({ mount_point: `${name}-kv2`, type: 'kv', options: { version: '2' } });
    assert.ok(`${name}-kv2/` in (await root.mounts()).data);
  },
  async 'key-value version 1'() {
    await root.write(`${name}-kv1/hello`, { value: 'world', lease: '1s' });
    assert.equal((await root.read(`${name}-kv1/hello`)).data.value, 'world');
    assert.deepEqual((await root.list(`${name}-kv1`)).data.keys, ['hello']);
    await root.delete(`${name}-kv1/hello`);
    await refused(root.read(`${name}-kv1/hello`), 404);
  },
  async 'key-value version 2'() {
    await root.write(`${name}-kv2/data/a/b`, { data: { x: 'one', keep: 'it' } });
    await root.update(`${name}-kv2/data/a/b`, { data: { x: 'two' } });
    assert.deepEqual((await root.read(`${name}-kv2/data/a/b`)).data.data, { x: 'two', keep: 'it' });
    assert.equal((await root.read(`${name}-kv2/data/a/b?version=1`)).data.data.x, 'one');
    assert.deepEqual((await root.list(`${name}-kv2/metadata/`)).data.keys, ['a/']);
  },
  async policies() {
    const policy = `path "${name}-kv2/data/a/*" { capabilities = ["read"] }`;
    await root.addPolicy({ name: `${name}-reader`, policy });
    assert.ok((await root.policies()).data.policies.includes(`${name}-reader`));
    assert.ok((await root.getPolicy({ name: `${name}-reader` })).data.rules.includes('capabilities'));
    const made = await create({ policies: [`${name}-reader`], ttl: '5m' });
    const reader = as(made.auth.client_token);
    assert.equal((await reader.read(`${name}-kv2/data/a/b`)).data.data.x, 'two');
    await refused(reader.write(`${name}-kv2/data/a/b`, { data: {} }), 403);
  },
  async tokens() {
    const made = await create({ policies: ['default'], ttl: '1h', renewable: true });
    const client = as(made.auth.client_token);
    assert.equal((await client.tokenLookupSelf()).data.accessor, made.auth.accessor);
    assert.equal((await client.tokenRenewSelf({ increment: '10m' })).auth.lease_duration, 600);
    await client.tokenRevokeSelf();
    await refused(client.tokenLookupSelf(), 403);
  },
  async userpass() {
    await root.enableAuth({ mount_point: `${name}-up`, type: 'userpass' });
    await root.write(`auth/${name}-up/users/ada`, { password: 'a password', policies: 'default' });
    const client = nodeVault({ apiVersion: 'v1', endpoint });
    await client.userpassLogin({ mount_point: `${name}-up`, username: 'ada', password: 'a password' });
    assert.equal((await client.tokenLookupSelf()).data.meta.username, 'ada');
    await refused(client.userpassLogin({ mount_point: `${name}-up`, username: 'ada', password: 'x' }), 400);
    await root.disableAuth({ mount_point: `${name}-up` });
    await refused(client.tokenLookupSelf(), 403);
  },
  async wrapping() {
    const wrapped = await root.read(`${name}-kv2/data/a/b`, { headers: { 'X-Vault-Wrap-TTL': '60s' } });
    assert.equal((await as(wrapped.wrap_info.token).unwrap()).data.data.x, 'two');
    await refused(as(wrapped.wrap_info.token).unwrap(), 400);
  },
  async unmount() {
    await root.unmount({ mount_point: `${name}-kv1` });
    await root.unmount({ mount_point: `${name}-kv2` });
    await refused(root.read(`${name}-kv2/data/a/b`), 404);
  },
};

for (const [title, step] of Object.entries(steps)) {
  try {
    await step();
    console.log(`ok: ${title}`);
  } catch (error) {
    console.log(`failed: ${title}: ${error.stack}`);
    process.exit(1);
  }
}
