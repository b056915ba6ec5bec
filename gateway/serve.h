/*
 * serve.h - the gateway at work: from a configuration to a running process.
 */
#ifndef GATEWAY_SERVE_H
#define GATEWAY_SERVE_H

/*
 * Serve by the configuration at path until SIGTERM has drained.  Reports go
 * to standard error before the log is open.  Returns the exit status: 0, or 1
 * when it could not start.
 */
int serve(const char *path);

#endif
