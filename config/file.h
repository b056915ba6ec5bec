/*
 * file.h - a whole file, read into memory or written from it.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/errinfo.h"

/*
 * Append the content of the file at path to out, whose maximum is the largest
 * size accepted.  A folder is refused, since reading one says nothing useful.
 * STATUS_IO, STATUS_LIMIT and STATUS_NOMEM are added to err with path as the
 * file; out then holds some of the content, or none.  Blocks.
 */
NODISCARD enum status file_read(const char *path, struct buf *out,
    struct errinfo *err);

/*
 * Write text to path so that a reader, or a crash, sees the old content or the
 * new, never a part: a file beside it, mode 0600, synced, then renamed.
 * STATUS_IO is added to err.  Blocks.
 */
NODISCARD enum status file_write(const char *path, struct slice text,
    struct errinfo *err);

#endif
