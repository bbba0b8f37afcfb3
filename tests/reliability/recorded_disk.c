/* Records what a process does to the files of one folder, for replays of a power cut.
 *
 * Loaded with LD_PRELOAD. RECORDED_FOLDER names the folder, RECORDED_TO the file that is written: one record
 * after the other, in the order in which the process did things. Nothing is synced for real, so that
 * recording is fast; a record says that it would have been. What goes to standard output is recorded too.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MADE = 1, WRITTEN, CUT, SYNCED, REMOVED, DIRECTORY_SYNCED, SAID };

struct record {
    uint32_t kind, length; /* `length` bytes follow: what was written, or a file's name */
    uint64_t file, place;  /* an inode; an offset or a size */
};

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static size_t folder_length;
static int to = -1;

__attribute__((constructor)) static void begin(void) {
    const char *named = getenv("RECORDED_FOLDER"), *target = getenv("RECORDED_TO");
    if (!named || !target || !realpath(named, folder)) return;
    folder_length = strlen(folder);
    to = syscall(SYS_openat, AT_FDCWD, target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    unsetenv("LD_PRELOAD");
}

/* Return the name inside the folder of an open file, "" for the folder itself, NULL for any other file. */
static const char *inside(int descriptor, char *path) {
    char link[64];
    if (to < 0) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    if (strncmp(path, folder, folder_length)) return NULL;
    if (!path[folder_length]) return path + folder_length;
    return path[folder_length] == '/' ? path + folder_length + 1 : NULL;
}

static uint64_t inode(int descriptor) {
    struct stat found;
    return fstat(descriptor, &found) ? 0 : found.st_ino;
}

static void note(uint32_t kind, uint64_t file, uint64_t place, const void *bytes, size_t length) {
    struct record record = {kind, (uint32_t)length, file, place};
    struct iovec parts[2] = {{&record, sizeof record}, {(void *)bytes, length}};
    if (syscall(SYS_writev, to, parts, 2) != (ssize_t)(sizeof record + length)) abort();
}


static int opened(int descriptor, int flags) {
    char path[PATH_MAX];
    const char *name = descriptor < 0 ? NULL : inside(descriptor, path);
    if (name && *name && (flags & O_CREAT)) {
        note(MADE, inode(descriptor), 0, name, strlen(name));
        if (flags & O_TRUNC) note(CUT, inode(descriptor), 0, NULL, 0);
    }
    return descriptor;
}

static int open_in_order(int at, const char *path, int flags, mode_t mode) {
    pthread_mutex_lock(&order);
    int descriptor = opened(syscall(SYS_openat, at, path, flags, mode), flags);
    pthread_mutex_unlock(&order);
    return descriptor;
}

#define MODE(flags)                                       \
    mode_t mode = 0;                                      \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                \
        va_list given;                                    \
        va_start(given, flags);                           \
        mode = va_arg(given, mode_t);                     \
        va_end(given);                                    \
    }

int open(const char *path, int flags, ...) { MODE(flags) return open_in_order(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) {
    MODE(flags) return open_in_order(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}
int openat(int at, const char *path, int flags, ...) { MODE(flags) return open_in_order(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) {
    MODE(flags) return open_in_order(at, path, flags | O_LARGEFILE, mode);
}

static ssize_t written(int descriptor, const void *bytes, size_t count, off64_t place, int placed) {
    char path[PATH_MAX];
    const char *name = inside(descriptor, path);
    pthread_mutex_lock(&order);
    if (name && !placed) place = lseek64(descriptor, 0, SEEK_CUR);
    ssize_t done = placed ? syscall(SYS_pwrite64, descriptor, bytes, count, place)
                          : syscall(SYS_write, descriptor, bytes, count);
    if (done > 0 && name) note(WRITTEN, inode(descriptor), place, bytes, done);
    if (done > 0 && !name && descriptor == STDOUT_FILENO && to >= 0) note(SAID, 0, 0, bytes, done);
    pthread_mutex_unlock(&order);
    return done;
}

ssize_t write(int descriptor, const void *bytes, size_t count) { return written(descriptor, bytes, count, 0, 0); }
ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t place) {
    return written(descriptor, bytes, count, place, 1);
}
ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t place) {
    return written(descriptor, bytes, count, place, 1);
}

static int cut(int descriptor, off64_t size) {
    char path[PATH_MAX];
    const char *name = inside(descriptor, path);
    pthread_mutex_lock(&order);
    int failed = syscall(SYS_ftruncate, descriptor, size);
    if (!failed && name) note(CUT, inode(descriptor), size, NULL, 0);
    pthread_mutex_unlock(&order);
    return failed;
}

int ftruncate(int descriptor, off_t size) { return cut(descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { return cut(descriptor, size); }

static int synced(int descriptor, long number) {
    char path[PATH_MAX];
    const char *name = inside(descriptor, path);
    if (!name) return syscall(number, descriptor);
    pthread_mutex_lock(&order);
    note(*name ? SYNCED : DIRECTORY_SYNCED, inode(descriptor), 0, NULL, 0);
    pthread_mutex_unlock(&order);
    return 0;
}

int fsync(int descriptor) { return synced(descriptor, SYS_fsync); }
int fdatasync(int descriptor) { return synced(descriptor, SYS_fdatasync); }

int unlink(const char *path) {
    char whole[PATH_MAX];
    pthread_mutex_lock(&order);
    const char *found = to >= 0 ? realpath(path, whole) : NULL;
    int failed = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!failed && found && !strncmp(whole, folder, folder_length) && whole[folder_length] == '/')
        note(REMOVED, 0, 0, whole + folder_length + 1, strlen(whole + folder_length + 1));
    pthread_mutex_unlock(&order);
    return failed;
}
