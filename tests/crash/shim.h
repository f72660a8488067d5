/* What both preloaded shims need (fault.c of tests/badday, record.c of tests/crash): every way of opening a file
 * leads to `opened`, which each defines for itself.
 */

#ifndef SHIM_H
#define SHIM_H

#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

static int opened(int dirfd, const char *path, int flags, mode_t mode);

#define MODE(flags, mode)                  \
    mode_t mode = 0;                       \
    if ((flags) & (O_CREAT | O_TMPFILE)) { \
        va_list list;                      \
        va_start(list, flags);             \
        mode = va_arg(list, mode_t);       \
        va_end(list);                      \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return opened(AT_FDCWD, path, flags, mode);
}

int openat(int dirfd, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return opened(dirfd, path, flags, mode);
}

int openat64(int dirfd, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return opened(dirfd, path, flags, mode);
}

#endif
