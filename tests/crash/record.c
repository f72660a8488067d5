/* Records what a process asks of the file system below one directory.
 *
 * Preloaded (LD_PRELOAD) into the process under test. RECORD_ROOT names the directory, RECORD_LOG the file that
 * the records are appended to, RECORD_ACKS a file whose writes are the acknowledgements of the run.
 *
 * A record is a header and two byte strings, path and data. The order of the records is one in which the calls
 * could have happened: a write is recorded under the lock that it is done under; a sync leaves one record when
 * it begins and one when it is done, and makes durable what was recorded before it began. Writes through a
 * descriptor that was opened with O_SYNC or O_DSYNC carry a mark: they are durable at once, and alone.
 *
 * Calls that would change files past this recorder (copy_file_range, sendfile, fallocate, link) leave a record
 * of kind UNSUPPORTED, so that a run that uses them is not mistaken for one that was recorded whole.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim.h"

enum { CREATE = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, DIR_SYNC, RENAME, UNLINK, MKDIR, RMDIR, ACK, UNSUPPORTED };
enum { DSYNC = 1 };
enum { MAX_FD = 4096 };

struct header {
    uint32_t kind, flags;
    uint64_t inode, offset, path_size, data_size;
};

struct file {
    int kind; /* 0: none of ours, 1: a file, 2: a directory, 3: the acknowledgements */
    int dsync, append;
    uint64_t inode;
    char path[512];
};

static struct file files[MAX_FD];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_size;
static char acks[PATH_MAX];


__attribute__((constructor)) static void begin(void)
{
    const char *given = getenv("RECORD_ROOT"), *log = getenv("RECORD_LOG"), *marked = getenv("RECORD_ACKS");
    if (!given || !log) return;
    snprintf(root, sizeof root, "%s", given);
    root_size = strlen(root);
    snprintf(acks, sizeof acks, "%s", marked ? marked : "");
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    log_fd = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, MAX_FD / 2);
    syscall(SYS_close, fd);
}

static void put_all(const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t done = syscall(SYS_write, log_fd, at, size);
        if (done < 0) abort();
        at += done;
        size -= (size_t)done;
    }
}

static void put(uint32_t kind, uint32_t flags, uint64_t inode, uint64_t offset, const char *path,
                const void *data, size_t size)
{
    struct header header = {kind, flags, inode, offset, strlen(path), size};
    put_all(&header, sizeof header);
    put_all(path, strlen(path));
    if (data) put_all(data, size);
}

/* The path below the root, without the root; NULL for one that is not below it. */
static const char *below(int dirfd, const char *path, char *buffer)
{
    if (log_fd < 0 || !path) return NULL;
    if (path[0] == '/') {
        snprintf(buffer, PATH_MAX, "%s", path);
    } else {
        char link[64], base[PATH_MAX];
        ssize_t size;
        if (dirfd == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return NULL;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
            size = readlink(link, base, sizeof base - 1);
            if (size < 0) return NULL;
            base[size] = 0;
        }
        if ((size_t)snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    if (strncmp(buffer, root, root_size)) return NULL;
    if (buffer[root_size] == 0) return "";
    return buffer[root_size] == '/' ? buffer + root_size + 1 : NULL;
}

static struct file *file_of(int fd)
{
    return fd >= 0 && fd < MAX_FD && files[fd].kind ? &files[fd] : NULL;
}

static void remember(int fd, const char *name, int flags, int existed)
{
    struct stat stat;
    if (fd >= MAX_FD || fstat(fd, &stat)) return;
    struct file *file = &files[fd];
    file->inode = stat.st_ino;
    file->dsync = (flags & O_DSYNC) != 0;
    file->append = (flags & O_APPEND) != 0;
    snprintf(file->path, sizeof file->path, "%s", name);
    file->kind = S_ISDIR(stat.st_mode) ? 2 : 1;
    if (file->kind == 1 && !existed) put(CREATE, 0, file->inode, 0, name, NULL, 0);
    if (file->kind == 1 && existed && (flags & O_TRUNC)) put(TRUNCATE, 0, file->inode, 0, name, NULL, 0);
}

static int opened(int dirfd, const char *path, int flags, mode_t mode)
{
    char buffer[PATH_MAX];
    if (log_fd >= 0 && acks[0] && path && !strcmp(path, acks)) {
        int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
        if (fd >= 0 && fd < MAX_FD) files[fd].kind = 3;
        return fd;
    }
    const char *name = below(dirfd, path, buffer);
    if (!name) return (int)syscall(SYS_openat, dirfd, path, flags, mode);
    pthread_mutex_lock(&lock);
    struct stat stat;
    int existed = fstatat(dirfd, path, &stat, 0) == 0;
    int fd = (int)syscall(SYS_openat, dirfd, path, flags, mode);
    int failed = errno;
    if (fd >= 0) remember(fd, name, flags, existed);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return fd;
}

int close(int fd)
{
    if (fd == log_fd && fd >= 0) return 0;
    if (fd >= 0 && fd < MAX_FD) files[fd].kind = 0;
    return (int)syscall(SYS_close, fd);
}

/* Record `size` bytes that were written at `offset`, or before the position where that is negative. */
static void wrote(int fd, struct file *file, const void *data, ssize_t size, off_t offset)
{
    if (size <= 0) return;
    if (file->kind == 3) {
        put(ACK, 0, 0, 0, "", data, (size_t)size);
        return;
    }
    if (offset < 0) offset = lseek(fd, 0, SEEK_CUR) - size;
    put(WRITE, file->dsync ? DSYNC : 0, file->inode, (uint64_t)offset, file->path, data, (size_t)size);
}

ssize_t write(int fd, const void *data, size_t size)
{
    struct file *file = file_of(fd);
    if (!file) return syscall(SYS_write, fd, data, size);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, fd, data, size);
    int failed = errno;
    wrote(fd, file, data, done, -1);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

static ssize_t written_at(int fd, const void *data, size_t size, off_t offset)
{
    struct file *file = file_of(fd);
    if (!file) return syscall(SYS_pwrite64, fd, data, size, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);
    int failed = errno;
    wrote(fd, file, data, done, offset);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) { return written_at(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return written_at(fd, data, size, offset); }

/* A gathered write, at `offset` or at the position where that is negative. */
static ssize_t gathered(int fd, const struct iovec *pieces, int count, off_t offset)
{
    struct file *file = file_of(fd);
    if (file) pthread_mutex_lock(&lock);
    ssize_t done = offset < 0 ? syscall(SYS_writev, fd, pieces, count)
                              : syscall(SYS_pwritev, fd, pieces, count, (long)offset, 0L);
    int failed = errno;
    if (file) {
        off_t at = offset < 0 && done > 0 && file->kind != 3 ? lseek(fd, 0, SEEK_CUR) - done : offset;
        ssize_t left = done;
        for (int i = 0; i < count && left > 0; i++) {
            ssize_t size = (ssize_t)pieces[i].iov_len < left ? (ssize_t)pieces[i].iov_len : left;
            wrote(fd, file, pieces[i].iov_base, size, at);
            at += size;
            left -= size;
        }
        pthread_mutex_unlock(&lock);
    }
    errno = failed;
    return done;
}

ssize_t writev(int fd, const struct iovec *pieces, int count) { return gathered(fd, pieces, count, -1); }
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at) { return gathered(fd, pieces, count, at); }
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off_t at) { return gathered(fd, pieces, count, at); }

static int cut(int fd, off_t size)
{
    struct file *file = file_of(fd);
    if (!file) return (int)syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_ftruncate, fd, size);
    int failed = errno;
    if (!result) put(TRUNCATE, 0, file->inode, (uint64_t)size, file->path, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

static int synced(int fd, long call)
{
    struct file *file = file_of(fd);
    if (!file || file->kind == 3) return (int)syscall(call, fd);
    pthread_mutex_lock(&lock);
    if (file->kind == 1) put(SYNC_BEGIN, 0, file->inode, 0, file->path, NULL, 0);
    pthread_mutex_unlock(&lock);
    int result = (int)syscall(call, fd);
    int failed = errno;
    pthread_mutex_lock(&lock);
    if (!result) put(file->kind == 1 ? SYNC_END : DIR_SYNC, 0, file->inode, 0, file->path, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int renamed(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char first[PATH_MAX], second[PATH_MAX];
    const char *old = below(from_dir, from, first), *new = below(to_dir, to, second);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    int failed = errno;
    if (!result && old && new) put(RENAME, 0, 0, 0, old, new, strlen(new));
    else if (!result && (old || new)) put(UNSUPPORTED, 0, 0, 0, "rename across the root", NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int named(uint32_t kind, long call, int dirfd, const char *path, int argument)
{
    char buffer[PATH_MAX];
    const char *name = below(dirfd, path, buffer);
    pthread_mutex_lock(&lock);
    int result = (int)syscall(call, dirfd, path, argument);
    int failed = errno;
    if (!result && name) put(kind, 0, 0, 0, name, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = failed;
    return result;
}

int unlink(const char *path) { return named(UNLINK, SYS_unlinkat, AT_FDCWD, path, 0); }
int rmdir(const char *path) { return named(RMDIR, SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int mkdir(const char *path, mode_t mode) { return named(MKDIR, SYS_mkdirat, AT_FDCWD, path, (int)mode); }
int mkdirat(int dirfd, const char *path, mode_t mode) { return named(MKDIR, SYS_mkdirat, dirfd, path, (int)mode); }
int unlinkat(int dirfd, const char *path, int flags)
{
    return named(flags & AT_REMOVEDIR ? RMDIR : UNLINK, SYS_unlinkat, dirfd, path, flags);
}

static void unsupported(int fd, const char *call)
{
    if (!file_of(fd)) return;
    pthread_mutex_lock(&lock);
    put(UNSUPPORTED, 0, 0, 0, call, NULL, 0);
    pthread_mutex_unlock(&lock);
}

ssize_t copy_file_range(int in, off_t *from, int out, off_t *to, size_t size, unsigned flags)
{
    unsupported(out, "copy_file_range");
    return syscall(SYS_copy_file_range, in, from, out, to, size, flags);
}

static ssize_t sent(int out, int in, off_t *offset, size_t size)
{
    unsupported(out, "sendfile");
    return syscall(SYS_sendfile, out, in, offset, size);
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size) { return sent(out, in, offset, size); }
ssize_t sendfile64(int out, int in, off_t *offset, size_t size) { return sent(out, in, offset, size); }

int fallocate(int fd, int mode, off_t offset, off_t size)
{
    unsupported(fd, "fallocate");
    return (int)syscall(SYS_fallocate, fd, mode, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size)
{
    unsupported(fd, "posix_fallocate");
    return syscall(SYS_fallocate, fd, 0, offset, size) ? errno : 0;
}
