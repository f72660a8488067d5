/* Makes the file system below one directory, or the clock, misbehave on command.
 *
 * Preloaded (LD_PRELOAD) into the process under test. FAULT_ROOT names the directory, FAULT_CONTROL a file of
 * 64-bit numbers that the test changes while the process runs:
 *
 *   ROOM    bytes by which files below the root may still grow; writes that would grow them further give ENOSPC.
 *           The process counts it down. -1: no limit
 *   TOLD    bytes that statvfs says are free. -1: ROOM where that has a limit, else the truth
 *   SYNC    not 0: fsync, fdatasync and writes through O_DSYNC descriptors below the root give EIO
 *   CLOCK   seconds added to the time of day
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "../crash/shim.h"

enum { ROOM, TOLD, SYNC, CLOCK, FIELDS };
enum { MAX_FD = 65536 };
enum { OURS = 1, DURABLE = 2 };

static const uint64_t DISK_SIZE = 1u << 30;

static volatile int64_t *control;
static const char *root;
static size_t root_size;
static unsigned char kinds[MAX_FD];

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("FAULT_CONTROL");
    root = getenv("FAULT_ROOT");
    if (!path || !root) return;
    root_size = strlen(root);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) abort();
    void *map = mmap(NULL, FIELDS * sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    syscall(SYS_close, fd);
    if (map == MAP_FAILED) abort();
    control = map;
}

static int opened(int dirfd, const char *path, int flags, mode_t mode)
{
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    if (fd >= 0 && fd < MAX_FD) {
        int ours = control && !strncmp(path, root, root_size);
        kinds[fd] = (unsigned char)((ours ? OURS : 0) | (ours && (flags & O_DSYNC) ? DURABLE : 0));
    }
    return fd;
}

int close(int fd)
{
    if (fd >= 0 && fd < MAX_FD) kinds[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

static int kind_of(int fd)
{
    return control && fd >= 0 && fd < MAX_FD ? kinds[fd] : 0;
}

/* 0, or -1 with errno set, for a write of `size` bytes at `offset` (negative: at the position). */
static int allowed(int fd, size_t size, off_t offset)
{
    int kind = kind_of(fd);
    if (!kind) return 0;
    if ((kind & DURABLE) && control[SYNC]) {
        errno = EIO;
        return -1;
    }
    struct stat stat;
    if (control[ROOM] < 0 || fstat(fd, &stat) || !S_ISREG(stat.st_mode)) return 0;
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR);
    int64_t growth = offset + (int64_t)size - stat.st_size;
    if (growth <= 0) return 0;
    if (growth > control[ROOM]) {
        errno = ENOSPC;
        return -1;
    }
    __atomic_fetch_sub((int64_t *)&control[ROOM], growth, __ATOMIC_SEQ_CST);
    return 0;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return allowed(fd, size, -1) ? -1 : syscall(SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return allowed(fd, size, offset) ? -1 : syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return pwrite(fd, data, size, offset); }

static size_t total(const struct iovec *pieces, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++) size += pieces[i].iov_len;
    return size;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return allowed(fd, total(pieces, count), -1) ? -1 : syscall(SYS_writev, fd, pieces, count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return allowed(fd, total(pieces, count), offset)
               ? -1
               : syscall(SYS_pwritev, fd, pieces, count, (long)offset, 0L);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t at) { return pwritev(fd, pieces, count, at); }

static int synced(int fd, long call)
{
    if (kind_of(fd) && control[SYNC]) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(call, fd);
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int statvfs(const char *path, struct statvfs *found)
{
    struct statfs real;
    if (syscall(SYS_statfs, path, &real)) return -1;
    memset(found, 0, sizeof *found);
    found->f_bsize = (unsigned long)real.f_bsize;
    found->f_frsize = (unsigned long)(real.f_frsize ? real.f_frsize : real.f_bsize);
    found->f_blocks = real.f_blocks;
    found->f_bfree = real.f_bfree;
    found->f_bavail = real.f_bavail;
    found->f_files = real.f_files;
    found->f_ffree = real.f_ffree;
    found->f_namemax = (unsigned long)real.f_namelen;
    if (!control || strncmp(path, root, root_size)) return 0;
    int64_t told = control[TOLD] >= 0 ? control[TOLD] : control[ROOM];
    if (told < 0) return 0;
    found->f_blocks = DISK_SIZE / found->f_frsize;
    found->f_bfree = found->f_bavail = (uint64_t)told / found->f_frsize;
    return 0;
}

int statvfs64(const char *path, struct statvfs64 *found) { return statvfs(path, (struct statvfs *)found); }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (!result && control && clock == CLOCK_REALTIME) now->tv_sec += control[CLOCK];
    return result;
}

time_t time(time_t *into)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int result = (int)syscall(SYS_gettimeofday, now, zone);
    if (!result && control) now->tv_sec += control[CLOCK];
    return result;
}
