/*
 * watch_files.h - notices that files have changed; control thread only.
 *
 * By folder and name, never by inode: a file may be written in place, renamed
 * over, or reached through symbolic links of which any is swapped (as the
 * kubelet does with `..data`).  What happens within 500 ms counts as one
 * change, which is told when it has settled, and after 5 s at the latest.
 */
#ifndef GATEWAY_WATCH_FILES_H
#define GATEWAY_WATCH_FILES_H

#include "conn/loop.h"

struct watch_files;

/*
 * changed runs on l when files have changed; call watch_files_begin from
 * there, since the same names may stand for other files now.  NULL: no
 * memory.  Without inotify (a limit is reached) a warning is logged, and
 * nothing is noticed.
 */
struct watch_files *watch_files_new(struct loop *l, void (*changed)(void *arg),
    void *arg);
void watch_files_free(struct watch_files *w); /* NULL is fine */

/*
 * Watch other paths from now on: begin, add each, end.  A path that does not
 * exist is watched for its coming; of a folder its entries are watched too,
 * but for hidden ones.  The caller has read them all, from since_us (wall
 * clock, microseconds) on: what changed before is forgotten, and what changed
 * since then counts as a change now.
 */
void watch_files_begin(struct watch_files *w, int64_t since_us);
void watch_files_add(struct watch_files *w, const char *path);
void watch_files_end(struct watch_files *w);

#endif
