/* Calls that fail: preloaded into the real binary, it lets the n-th write, sync or read of one file fail.
 *
 * WKSBM_FAIL_CALL   write (what makes a file longer or shorter, too) | sync | read
 * WKSBM_FAIL_FILE   end of the file's name, or of the folder's; of every file if empty
 * WKSBM_FAIL_DATA   part of the name of each file that is meant
 * WKSBM_FAIL_FIRST  the first call that fails, from 1
 * WKSBM_FAIL_COUNT  how many fail; the calls after them succeed again
 * WKSBM_FAIL_ERRNO  with what: 5 is EIO, 28 ENOSPC; 0 tells of them and lets them through
 * WKSBM_FAIL_TOLD   a file that gets a line for each call that failed: the name of its file
 * WKSBM_FAIL_HOLD   a file: while it is there, a call that was told of waits
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* What a disk does that takes its time. */
static void wait_while_held(void) {
    const char *hold = getenv("WKSBM_FAIL_HOLD");
    while (hold && access(hold, F_OK) == 0) usleep(200);
}

static int fails(const char *call, int fd) {
    const char *wanted = getenv("WKSBM_FAIL_CALL"), *file = getenv("WKSBM_FAIL_FILE");
    char link[64], path[PATH_MAX];
    const char *data = getenv("WKSBM_FAIL_DATA");
    if (!wanted || !file || !data || strcmp(wanted, call) != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 2);
    if (length < 0) return 0;
    path[length] = 0;
    if (!ends_with(path, file) || !strstr(path, data)) return 0;
    long now = atomic_fetch_add(&calls, 1) + 1, first = number("WKSBM_FAIL_FIRST");
    if (now < first || now - first >= number("WKSBM_FAIL_COUNT")) return 0;
    const char *told = getenv("WKSBM_FAIL_TOLD");
    int log = told ? open(told, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (log >= 0) {
        path[length] = '\n';
        ssize_t written = write(log, path, length + 1);
        (void)written;
        close(log);
    }
    wait_while_held();
    int how = (int)number("WKSBM_FAIL_ERRNO");
    if (how != 0) errno = how;
    return how != 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int fdatasync(int fd) { return fails("sync", fd) ? -1 : NEXT(fdatasync)(fd); }

int fsync(int fd) { return fails("sync", fd) ? -1 : NEXT(fsync)(fd); }

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    return fails("write", fd) ? -1 : NEXT(pwrite)(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    return fails("write", fd) ? -1 : NEXT(pwrite64)(fd, bytes, length, at);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    return fails("write", fd) ? -1 : NEXT(write)(fd, bytes, length);
}

int ftruncate(int fd, off_t length) {
    return fails("write", fd) ? -1 : NEXT(ftruncate)(fd, length);
}

int ftruncate64(int fd, off64_t length) {
    return fails("write", fd) ? -1 : NEXT(ftruncate64)(fd, length);
}

ssize_t pread(int fd, void *bytes, size_t length, off_t at) {
    return fails("read", fd) ? -1 : NEXT(pread)(fd, bytes, length, at);
}

ssize_t pread64(int fd, void *bytes, size_t length, off64_t at) {
    return fails("read", fd) ? -1 : NEXT(pread64)(fd, bytes, length, at);
}
