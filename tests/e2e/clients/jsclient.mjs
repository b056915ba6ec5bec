// The JavaScript client through a kubeconfig: jsclient.mjs KUBECONFIG NAMESPACE POD. Lists, watches and runs a command.
import { createRequire } from 'node:module';
import { PassThrough } from 'node:stream';

// Installed elsewhere than this file lies: NODE_MODULES names the folder.
const k8s = createRequire(process.env.NODE_MODULES + '/')('@kubernetes/client-node');

const [kubeconfig, namespace, pod] = process.argv.slice(2);
setTimeout(() => { console.error('too slow'); process.exit(1); }, 30000).unref();

const config = new k8s.KubeConfig();
config.loadFromFile(kubeconfig);
const core = config.makeApiClient(k8s.CoreV1Api);

const pods = await core.listNamespacedPod({ namespace });
console.log('list:', pods.items.map((p) => p.metadata.name).sort().join(' '));

const patch = [{ op: 'add', path: '/metadata/labels/jsclient', value: 'seen' }];
await core.patchNamespacedPod({ namespace, name: pod, body: patch });
await new Promise((resolve, reject) => {
    const onEvent = (type, object) => {
        if (object.metadata.labels?.jsclient !== 'seen') return;
        console.log('watch:', type, object.metadata.name);
        resolve();
    };
    const query = { resourceVersion: pods.metadata.resourceVersion };
    const onEnd = (e) => reject(e ?? Error('the watch ended without the label'));
    new k8s.Watch(config).watch(`/api/v1/namespaces/${namespace}/pods`, query, onEvent, onEnd)
        .catch(reject);
});

const out = new PassThrough();
let text = '';
out.on('data', (data) => { text += data; });
await new Promise((resolve, reject) => {
    new k8s.Exec(config).exec(namespace, pod, 'c', ['echo', 'out'], out, process.stderr, null, false, resolve)
        .catch(reject);
});
console.log('exec:', JSON.stringify(text));
process.exit(0); // the watch is still open
