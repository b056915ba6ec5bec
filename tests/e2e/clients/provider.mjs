// A real OpenID provider: provider.mjs PORT CERT KEY. It logs everybody in by the login_hint, with the groups of the
// claim below. POST /rotate?published=N makes a new key that signs from now on and publishes it with the newest N - 1 of
// the others. NODE_MODULES names the folder that holds oidc-provider.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const installed = createRequire(process.env.NODE_MODULES + '/').resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(installed));

const [port, cert, key] = process.argv.slice(2);
const url = `https://127.0.0.1:${port}`;
const keys = []; // the newest first: it signs
let provider;
let answer;

function newKey() {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { ...privateKey.export({ format: 'jwk' }), kid: `k${Date.now()}`, alg: 'RS256', use: 'sig' };
}

function rotate(published) {
    keys.unshift(newKey());
    keys.splice(published);
    provider = new Provider(url, {
        clients: [{
            client_id: 'kubernetes', token_endpoint_auth_method: 'none', redirect_uris: [url + '/done'],
            grant_types: ['authorization_code'], response_types: ['code'],
        }],
        claims: { openid: ['sub'], groups: ['groups'] },
        conformIdTokenClaims: false, // groups in the ID token itself
        cookies: { keys: ['of a test'] },
        features: { devInteractions: { enabled: false } },
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, groups: ['team-' + id] }) }),
        interactions: { url: (_, interaction) => '/interaction/' + interaction.uid },
        jwks: { keys },
    });
    answer = provider.callback();
}

// Where a person would type a password, and then agree.
async function interact(req, res) {
    const { prompt, params, session } = await provider.interactionDetails(req, res);
    let result = { login: { accountId: params.login_hint } };
    if (prompt.name === 'consent') {
        const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
        grant.addOIDCScope(params.scope);
        result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

function serve(req, res) {
    const to = new URL(req.url, url);
    if (to.pathname === '/rotate' && req.method === 'POST') {
        rotate(Number(to.searchParams.get('published')));
        res.end(keys[0].kid);
    } else if (to.pathname === '/done') {
        res.end('logged in');
    } else if (to.pathname.startsWith('/interaction/')) {
        interact(req, res).catch((e) => { res.statusCode = 500; res.end(String(e)); });
    } else {
        answer(req, res);
    }
}

rotate(1);
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve).listen(Number(port), '127.0.0.1');
