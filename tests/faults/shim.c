/*
 * Watches and disturbs the file system calls that a process makes below one directory.
 *
 * Preloaded with LD_PRELOAD, the library stands in front of the libc entry points through which programs reach files.
 * A call is *watched* when a path of it lies below SHIM_ROOT, or when its descriptor was opened there (descriptors are
 * followed through dup, fork and exec).  All other calls go straight to the kernel.  Watched calls are numbered from 1,
 * and call number k can be killed, failed, shortened, torn or stopped at, always before it is executed.
 *
 *   SHIM_ROOT         the watched directory: absolute, free of symbolic links; `/` watches everything.  Without it the
 *                     library does nothing.
 *   SHIM_CALLS        comma separated names; only these get numbers (default: every watched call)
 *   SHIM_TRACE        file to which one line per watched call is appended (format: write_trace)
 *   SHIM_COUNTER      file of three 64-bit words that hold the counts, shared by all processes of a run (struct counts)
 *   SHIM_KILL_AT      SIGKILL before call k
 *   SHIM_STOP_AT      SIGSTOP before call k; the call is made after SIGCONT
 *   SHIM_FAIL_AT      call k is not made and fails with SHIM_ERRNO, and so do the SHIM_FAIL_TIMES - 1 calls after it
 *                     (default 1; 0: all after it).  A failed close does close its descriptor, as in Linux.
 *   SHIM_SHORT_AT     call k transfers only half of what it was asked to
 *   SHIM_TEAR_AT      call k transfers only half, and the process is killed after it
 *   SHIM_STOP_LOCKED  SIGSTOP whenever a watched flock would wait or is refused because the lock is held
 *   SHIM_LOCKS        `refused`: every watched flock fails with ENOLCK; `ignored`: it succeeds and excludes nobody.
 *                     Such calls are neither numbered nor traced.
 *   SHIM_DELAY_US     sleep before each call that is named in SHIM_DELAY_CALLS (default: METADATA), as a network would
 *
 * A process that was not started with these variables can set them and call shim_arm().
 *
 * A kind of call has one name here, whatever its variant: openat and creat are `open`, pread is `read`, renameat2 is
 * `rename`, unlinkat with AT_REMOVEDIR is `rmdir`, newfstatat and statx are `stat`, `lstat` or `fstat`.
 * Directories are read by code of our own that makes the calls of glibc (open, fstat, getdents..., close), so that each
 * getdents is seen.
 *
 * Paths are compared as text after `.` and `..` are taken out; symbolic links are not followed.  Not seen are calls
 * that libc makes for itself (stdio streams, realpath, mkstemp, glob, ftw, lockf), io_uring, and static programs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#if !defined(__linux__) || !defined(__LP64__)
#error "64-bit Linux only: the calls are handed to the kernel with the structures of libc"
#endif

#define MAX_FD 65536
#define TRACE_FD 900 /* the trace stays out of the way of the descriptors of the program */
#define METADATA \
    "open,stat,lstat,access,readlink,getdents,mkdir,rmdir,unlink,rename,link,symlink,mknod,chmod,chown,utime," \
    "truncate,ftruncate,flock,fsync,fdatasync,xattr,statfs"

enum action { NONE, KILL, STOP, FAIL, SHORT, TEAR };
static const char *const action_names[] = {"-", "kill", "stop", "fail", "short", "tear"};

struct counts {
    _Atomic uint64_t seen;    /* watched calls */
    _Atomic uint64_t counted; /* those that got a number */
    _Atomic uint64_t fired;   /* actions taken */
};

struct call {
    const char *name;
    int watched;
    int fd;        /* -1 when the call names a path */
    long argument; /* what tells this call from others of its name: open flags, bytes asked for, lock operation, mode */
    uint64_t order, number;
    enum action action;
    char path[PATH_MAX], other[PATH_MAX];
};

static struct {
    int armed;
    char root[PATH_MAX];
    size_t root_length;
    uint64_t kill_at, stop_at, fail_at, fail_times, short_at, tear_at;
    int fail_errno, stop_locked;
    enum { HONEST, REFUSED, IGNORED } locks;
    long delay_us;
    char calls[1024], delayed[1024], trace[PATH_MAX];
} config;

static struct counts own_counts, *counts = &own_counts;
static int trace_fd = -1;
static pid_t owner;           /* differs from getpid() in a vfork child, which must not change memory it shares */
static char cwd[PATH_MAX];
static char *_Atomic fd_paths[MAX_FD]; /* NULL: not watched */
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

#define L(x) ((long)(x))
/* Declares `name` to be `original` under a second name: on 64 bits the variants for large files are the plain ones. */
#define SAME(name, original) extern __typeof__(name) name __attribute__((alias(#original)))
#pragma GCC diagnostic ignored "-Wattribute-alias"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

/* ---- paths and descriptors --------------------------------------------------------------------------------------- */

static int below_root(const char *path)
{
    return strncmp(path, config.root, config.root_length) == 0 &&
           (path[config.root_length] == '\0' || path[config.root_length] == '/');
}

/* Appends `path` to the absolute path `out` and takes out empty components, `.` and `..`; 0 if it does not fit. */
static int append_path(char *out, const char *path)
{
    size_t length = strcmp(out, "/") ? strlen(out) : 0;
    while (*path) {
        size_t n = strcspn(path, "/");
        if (n == 2 && path[0] == '.' && path[1] == '.') {
            while (length && out[--length] != '/')
                ;
        } else if (n && !(n == 1 && path[0] == '.')) {
            if (length + n + 2 > PATH_MAX)
                return 0;
            out[length++] = '/';
            memcpy(out + length, path, n);
            length += n;
        }
        path += n + (path[n] == '/');
    }
    out[length] = '\0';
    return 1;
}

static int path_of_fd(int fd, char *out)
{
    int found = 0;
    if (fd < 0 || fd >= MAX_FD || !atomic_load(&fd_paths[fd]))
        return 0;
    pthread_mutex_lock(&table_lock);
    const char *path = atomic_load(&fd_paths[fd]);
    if (path) {
        strcpy(out, path);
        found = 1;
    }
    pthread_mutex_unlock(&table_lock);
    return found;
}

/* Notes that `fd` was opened at `path`, or with NULL that it is not, or no longer, a watched one. */
static void remember_fd(int fd, const char *path)
{
    if (fd < 0 || fd >= MAX_FD || (!path && !atomic_load(&fd_paths[fd])) || getpid() != owner)
        return;
    char *copy = path ? strdup(path) : NULL;
    pthread_mutex_lock(&table_lock);
    char *old = atomic_exchange(&fd_paths[fd], copy);
    pthread_mutex_unlock(&table_lock);
    free(old);
}

static int link_target(const char *link, char *out)
{
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 && out[0] == '/';
}

static int path_of_any_fd(int fd, char *out)
{
    char link[64];
    if (path_of_fd(fd, out))
        return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return link_target(link, out);
}

static void remember_cwd(void)
{
    char now[PATH_MAX];
    if (!config.armed || getpid() != owner || syscall(SYS_getcwd, now, sizeof now) < 0)
        return;
    pthread_mutex_lock(&table_lock);
    strcpy(cwd, now);
    pthread_mutex_unlock(&table_lock);
}

static int resolve(int dirfd, const char *path, char *out)
{
    int saved = errno, known = 1;
    out[0] = '\0';
    if (!path || !*path)
        return 0;
    if (*path != '/') {
        if (dirfd == AT_FDCWD) {
            pthread_mutex_lock(&table_lock);
            strcpy(out, cwd);
            pthread_mutex_unlock(&table_lock);
        } else {
            known = path_of_any_fd(dirfd, out);
        }
    }
    errno = saved;
    return known && append_path(out, path);
}

static void call_on_path(struct call *call, const char *name, int dirfd, const char *path, long argument)
{
    call->name = name;
    call->fd = -1;
    call->argument = argument;
    call->path[0] = call->other[0] = '\0';
    call->watched = config.armed && resolve(dirfd, path, call->path) && below_root(call->path);
}

static void call_on_fd(struct call *call, const char *name, int fd, long argument)
{
    call->name = name;
    call->fd = fd;
    call->argument = argument;
    call->path[0] = call->other[0] = '\0';
    call->watched = config.armed && path_of_fd(fd, call->path);
}

static void second_path(struct call *call, int dirfd, const char *path)
{
    if (config.armed && resolve(dirfd, path, call->other) && below_root(call->other))
        call->watched = 1;
}

/* ---- what is done to a watched call ------------------------------------------------------------------------------ */

static size_t escape(char *out, const char *text)
{
    char *start = out;
    for (; *text; text++) {
        if (*text == '\\' || *text == '\t' || *text == '\n')
            *out++ = '\\';
        *out++ = *text == '\t' ? 't' : *text == '\n' ? 'n' : *text;
    }
    return (size_t)(out - start);
}

/* One line: order, number (0: not counted), pid, name, fd (-1: by path), argument, result, errno, action, path, second
   path; separated by tabs; \\ \t \n stand for these bytes in a path.  A killed call has result -1 and errno 0. */
static void write_trace(const struct call *call, long result, int error)
{
    char line[4 * PATH_MAX + 256];
    if (!config.trace[0])
        return;
    if (trace_fd < 0) {
        int low = (int)syscall(SYS_openat, AT_FDCWD, config.trace, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        int high = (int)syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, TRACE_FD);
        if (high >= 0)
            syscall(SYS_close, low);
        trace_fd = high >= 0 ? high : low;
    }
    size_t n = (size_t)snprintf(line, 256, "%llu\t%llu\t%d\t%s\t%d\t%ld\t%ld\t%d\t%s\t",
                                (unsigned long long)call->order, (unsigned long long)call->number, (int)getpid(),
                                call->name, call->fd, call->argument, result, error, action_names[call->action]);
    n += escape(line + n, call->path);
    line[n++] = '\t';
    n += escape(line + n, call->other);
    line[n++] = '\n';
    if (syscall(SYS_write, trace_fd, line, n) < 0)
        trace_fd = -1;
}

static int listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = list; (at = strstr(at, name)); at += n)
        if ((at == list || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
            return 1;
    return 0;
}

static void delay(void)
{
    static _Thread_local int precise;
    struct timespec left = {config.delay_us / 1000000, config.delay_us % 1000000 * 1000};
    if (!precise)
        precise = !prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);
    while (nanosleep(&left, &left) && errno == EINTR)
        ;
}

/* The signal goes to this thread, so that nothing of it runs on before the process has stopped or died. */
static void signal_self(int signal)
{
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static void decide(struct call *call)
{
    call->order = atomic_fetch_add(&counts->seen, 1) + 1;
    call->number = 0;
    call->action = NONE;
    if (config.delay_us && listed(config.delayed, call->name))
        delay();
    if (config.calls[0] && !listed(config.calls, call->name))
        return;
    uint64_t k = call->number = atomic_fetch_add(&counts->counted, 1) + 1;
    if (k == config.kill_at)
        call->action = KILL;
    else if (k == config.stop_at)
        call->action = STOP;
    else if (config.fail_at && k >= config.fail_at && (!config.fail_times || k - config.fail_at < config.fail_times))
        call->action = FAIL;
    else if (k == config.short_at)
        call->action = SHORT;
    else if (k == config.tear_at)
        call->action = TEAR;
    if (call->action != NONE)
        atomic_fetch_add(&counts->fired, 1);
}

/* Makes the system call `number`; `length_at` is the place of the number of bytes among its arguments, or -1. */
static long issue(struct call *call, int length_at, long number, long *a)
{
    if (!call->watched)
        return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    int entered_with = errno;
    decide(call);
    if (call->action == KILL) {
        write_trace(call, -1, 0);
        signal_self(SIGKILL);
    }
    if (call->action == STOP)
        signal_self(SIGSTOP);
    if (call->action == SHORT && length_at >= 0)
        a[length_at] = (a[length_at] + 1) / 2;
    if (call->action == TEAR && length_at >= 0)
        a[length_at] /= 2;
    long result;
    errno = entered_with;
    if (call->action == FAIL) {
        if (number == SYS_close)
            syscall(number, a[0]);
        result = -1;
        errno = config.fail_errno;
    } else {
        result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    int left_with = errno;
    write_trace(call, result, result == -1 ? left_with : 0);
    if (call->action == TEAR)
        signal_self(SIGKILL);
    errno = left_with;
    return result;
}

#define ISSUE(call, number, ...) issue(call, -1, number, (long[6]){__VA_ARGS__})
#define TRANSFER(call, length_at, number, ...) issue(call, length_at, number, (long[6]){__VA_ARGS__})

/* ---- setting up -------------------------------------------------------------------------------------------------- */

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static void text_from(const char *variable, const char *otherwise, char *out, size_t size)
{
    const char *text = getenv(variable);
    snprintf(out, size, "%s", text && *text ? text : otherwise);
}

static void share_counts(const char *file)
{
    int fd = -1;
    if (file && *file) {
        fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        syscall(SYS_ftruncate, fd, sizeof *counts);
    }
    void *page = (void *)syscall(SYS_mmap, NULL, sizeof *counts, PROT_READ | PROT_WRITE,
                                 fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
    if (fd >= 0)
        syscall(SYS_close, fd);
    counts = page == MAP_FAILED ? &own_counts : page;
}

static void forget_range(unsigned first, unsigned last)
{
    if (getpid() != owner)
        return;
    /* The trace is opened again when it is next written to. */
    if (trace_fd >= 0 && (unsigned)trace_fd >= first && (unsigned)trace_fd <= last)
        trace_fd = -1;
    for (unsigned fd = first; fd <= last && fd < MAX_FD; fd++)
        remember_fd((int)fd, NULL);
}

/* Descriptors below the root that were open before: inherited through exec, or opened before shim_arm(). */
static void remember_open_fds(void)
{
    char data[4096], link[PATH_MAX];
    long n;
    int directory = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (directory >= 0 && (n = syscall(SYS_getdents64, directory, data, sizeof data)) > 0) {
        for (long at = 0; at < n; at += ((struct dirent64 *)(data + at))->d_reclen) {
            int fd = atoi(((struct dirent64 *)(data + at))->d_name);
            remember_fd(fd, path_of_any_fd(fd, link) && below_root(link) ? link : NULL);
        }
    }
    syscall(SYS_close, directory);
}

/* Reads the variables and starts to count from 0, or with SHIM_COUNTER from what the file holds. */
void shim_arm(void)
{
    int saved = errno;
    owner = getpid();
    if (config.armed) {
        config.armed = 0;
        forget_range(0, MAX_FD);
    }
    text_from("SHIM_ROOT", "", config.root, sizeof config.root);
    config.root_length = strcmp(config.root, "/") ? strlen(config.root) : 0;
    if (config.root[0]) {
        char locks[16];
        text_from("SHIM_CALLS", "", config.calls, sizeof config.calls);
        text_from("SHIM_TRACE", "", config.trace, sizeof config.trace);
        text_from("SHIM_DELAY_CALLS", METADATA, config.delayed, sizeof config.delayed);
        config.kill_at = number_from("SHIM_KILL_AT", 0);
        config.stop_at = number_from("SHIM_STOP_AT", 0);
        config.fail_at = number_from("SHIM_FAIL_AT", 0);
        config.fail_times = number_from("SHIM_FAIL_TIMES", 1);
        config.fail_errno = (int)number_from("SHIM_ERRNO", EIO);
        config.short_at = number_from("SHIM_SHORT_AT", 0);
        config.tear_at = number_from("SHIM_TEAR_AT", 0);
        config.stop_locked = (int)number_from("SHIM_STOP_LOCKED", 0);
        config.delay_us = (long)number_from("SHIM_DELAY_US", 0);
        text_from("SHIM_LOCKS", "", locks, sizeof locks);
        config.locks = !strcmp(locks, "refused") ? REFUSED : !strcmp(locks, "ignored") ? IGNORED : HONEST;
        share_counts(getenv("SHIM_COUNTER"));
        remember_open_fds();
        config.armed = 1;
        remember_cwd();
    }
    errno = saved;
}

/* Makes the library do nothing, until it is armed again. */
void shim_disarm(void)
{
    config.armed = 0;
}

/* How many calls have got a number since the library was armed. */
uint64_t shim_count(void)
{
    return atomic_load(&counts->counted);
}

static void before_fork(void) { pthread_mutex_lock(&table_lock); }
static void after_fork_in_parent(void) { pthread_mutex_unlock(&table_lock); }

static void after_fork_in_child(void)
{
    owner = getpid();
    pthread_mutex_unlock(&table_lock);
}

__attribute__((constructor)) static void start(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    shim_arm();
}

/* The libc function that this library hides, for the few that are more than one system call. */
static void *hidden(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static int open_at(int dirfd, const char *path, int flags, mode_t mode)
{
    struct call call;
    call_on_path(&call, "open", dirfd, path, flags);
    int fd = (int)ISSUE(&call, SYS_openat, dirfd, L(path), flags, mode);
    remember_fd(fd, call.watched ? call.path : NULL);
    return fd;
}

static mode_t mode_argument(int flags, va_list arguments)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_at(AT_FDCWD, path, flags, mode);
}
SAME(open64, open);

int openat(int dirfd, const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_argument(flags, arguments);
    va_end(arguments);
    return open_at(dirfd, path, flags, mode);
}
SAME(openat64, openat);

/* Names ending in _2 or _chk are what programs call that were compiled with _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dirfd, const char *path, int flags);
int __openat64_2(int dirfd, const char *path, int flags);
int __open_2(const char *path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
SAME(__open64_2, __open_2);
int __openat_2(int dirfd, const char *path, int flags) { return open_at(dirfd, path, flags, 0); }
SAME(__openat64_2, __openat_2);
int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
SAME(creat64, creat);

int close(int fd)
{
    struct call call;
    call_on_fd(&call, "close", fd, 0);
    if (call.watched || fd == trace_fd)
        forget_range((unsigned)fd, (unsigned)fd);
    return (int)ISSUE(&call, SYS_close, fd);
}

int close_range(unsigned first, unsigned last, int flags)
{
    if (!(flags & 4 /* CLOSE_RANGE_CLOEXEC */))
        forget_range(first, last);
    return (int)syscall(SYS_close_range, first, last, flags);
}

void closefrom(int first)
{
    close_range((unsigned)(first < 0 ? 0 : first), ~0U, 0);
}

int fclose(FILE *stream)
{
    int fd = fileno(stream);
    if (fd >= 0)
        forget_range((unsigned)fd, (unsigned)fd);
    return ((int (*)(FILE *))hidden("fclose"))(stream);
}

int dup(int fd)
{
    struct call call;
    call_on_fd(&call, "dup", fd, -1);
    int copy = (int)ISSUE(&call, SYS_dup, fd);
    remember_fd(copy, call.watched ? call.path : NULL);
    return copy;
}

int dup3(int fd, int wanted, int flags)
{
    struct call call;
    call_on_fd(&call, "dup", fd, wanted);
    int copy = (int)ISSUE(&call, SYS_dup3, fd, wanted, flags);
    remember_fd(copy, call.watched ? call.path : NULL);
    return copy;
}

int dup2(int fd, int wanted)
{
    if (fd == wanted)
        return syscall(SYS_fcntl, fd, F_GETFD) < 0 ? -1 : fd;
    return dup3(fd, wanted, 0);
}

static int fcntl_call(int fd, int command, long argument)
{
    struct call call;
    call_on_fd(&call, "fcntl", fd, command);
    int result = (int)ISSUE(&call, SYS_fcntl, fd, command, argument);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        remember_fd(result, call.watched ? call.path : NULL);
    return result;
}

int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return fcntl_call(fd, command, argument);
}
SAME(fcntl64, fcntl);

int ioctl(int fd, unsigned long request, ...)
{
    struct call call;
    va_list arguments;
    va_start(arguments, request);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    call_on_fd(&call, "ioctl", fd, L(request));
    return (int)ISSUE(&call, SYS_ioctl, fd, L(request), argument);
}

int isatty(int fd)
{
    char settings[256];
    return ioctl(fd, TCGETS, settings) == 0;
}

/* ---- content ----------------------------------------------------------------------------------------------------- */

static ssize_t transfer(const char *name, long number, int fd, long data, size_t length, off_t offset)
{
    struct call call;
    call_on_fd(&call, name, fd, L(length));
    return TRANSFER(&call, 2, number, fd, data, L(length), offset);
}

ssize_t read(int fd, void *data, size_t n) { return transfer("read", SYS_read, fd, L(data), n, 0); }
ssize_t write(int fd, const void *data, size_t n) { return transfer("write", SYS_write, fd, L(data), n, 0); }
ssize_t pread(int fd, void *data, size_t n, off_t at) { return transfer("read", SYS_pread64, fd, L(data), n, at); }
SAME(pread64, pread);
ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    return transfer("write", SYS_pwrite64, fd, L(data), n, at);
}
SAME(pwrite64, pwrite);

ssize_t __read_chk(int fd, void *data, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *data, size_t n, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *data, size_t n, off_t at, size_t size);
ssize_t __read_chk(int fd, void *data, size_t n, size_t size) { return n > size ? (abort(), -1) : read(fd, data, n); }
ssize_t __pread_chk(int fd, void *data, size_t n, off_t at, size_t size)
{
    return n > size ? (abort(), -1) : pread(fd, data, n, at);
}
SAME(__pread64_chk, __pread_chk);

/* Vectored calls are never shortened. */
static ssize_t vectored(const char *name, long number, int fd, const struct iovec *parts, int n, off_t at, int flags)
{
    struct call call;
    long length = 0;
    for (int i = 0; i < n; i++)
        length += L(parts[i].iov_len);
    call_on_fd(&call, name, fd, length);
    return ISSUE(&call, number, fd, L(parts), n, at, 0, flags);
}

typedef const struct iovec *parts_t;
ssize_t readv(int fd, parts_t parts, int n) { return vectored("read", SYS_readv, fd, parts, n, 0, 0); }
ssize_t writev(int fd, parts_t parts, int n) { return vectored("write", SYS_writev, fd, parts, n, 0, 0); }
ssize_t preadv(int fd, parts_t parts, int n, off_t at) { return vectored("read", SYS_preadv, fd, parts, n, at, 0); }
SAME(preadv64, preadv);
ssize_t pwritev(int fd, parts_t parts, int n, off_t at) { return vectored("write", SYS_pwritev, fd, parts, n, at, 0); }
SAME(pwritev64, pwritev);
ssize_t preadv2(int fd, parts_t parts, int n, off_t at, int flags)
{
    return vectored("read", SYS_preadv2, fd, parts, n, at, flags);
}
SAME(preadv64v2, preadv2);
ssize_t pwritev2(int fd, parts_t parts, int n, off_t at, int flags)
{
    return vectored("write", SYS_pwritev2, fd, parts, n, at, flags);
}
SAME(pwritev64v2, pwritev2);

/* Copies have their source as path and their destination as second path. */
static void call_on_two_fds(struct call *call, const char *name, int source, int destination, size_t length)
{
    call_on_fd(call, name, source, L(length));
    call->watched |= config.armed && path_of_fd(destination, call->other);
    if (call->watched) {
        path_of_any_fd(source, call->path);
        path_of_any_fd(destination, call->other);
    }
}

ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    struct call call;
    call_on_two_fds(&call, "sendfile", from, to, n);
    return TRANSFER(&call, 3, SYS_sendfile, to, from, L(at), L(n));
}
SAME(sendfile64, sendfile);

ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t n, unsigned flags)
{
    struct call call;
    call_on_two_fds(&call, "copy_file_range", from, to, n);
    return TRANSFER(&call, 4, SYS_copy_file_range, from, L(from_at), to, L(to_at), L(n), flags);
}

static long on_fd(const char *name, long number, int fd, long argument, long another, long last)
{
    struct call call;
    call_on_fd(&call, name, fd, argument);
    return ISSUE(&call, number, fd, argument, another, last);
}

off_t lseek(int fd, off_t at, int whence) { return on_fd("lseek", SYS_lseek, fd, at, whence, 0); }
SAME(lseek64, lseek);
int ftruncate(int fd, off_t n) { return (int)on_fd("ftruncate", SYS_ftruncate, fd, n, 0, 0); }
SAME(ftruncate64, ftruncate);
int fsync(int fd) { return (int)on_fd("fsync", SYS_fsync, fd, 0, 0, 0); }
int fdatasync(int fd) { return (int)on_fd("fdatasync", SYS_fdatasync, fd, 0, 0, 0); }
int syncfs(int fd) { return (int)on_fd("syncfs", SYS_syncfs, fd, 0, 0, 0); }
int fallocate(int fd, int mode, off_t at, off_t n) { return (int)on_fd("fallocate", SYS_fallocate, fd, mode, at, n); }
SAME(fallocate64, fallocate);

/* These two return the error, and leave errno alone. */
static int error_of(long result, int saved)
{
    int error = result < 0 ? errno : 0;
    errno = saved;
    return error;
}
int posix_fallocate(int fd, off_t at, off_t n)
{
    int saved = errno;
    return error_of(on_fd("fallocate", SYS_fallocate, fd, 0, at, n), saved);
}
SAME(posix_fallocate64, posix_fallocate);
int posix_fadvise(int fd, off_t at, off_t n, int advice)
{
    int saved = errno;
    return error_of(on_fd("fadvise", SYS_fadvise64, fd, at, n, advice), saved);
}
SAME(posix_fadvise64, posix_fadvise);

void *mmap(void *where, size_t n, int protection, int flags, int fd, off_t at)
{
    struct call call;
    call_on_fd(&call, "mmap", fd, L(n));
    return (void *)ISSUE(&call, SYS_mmap, L(where), L(n), protection, flags, fd, at);
}
SAME(mmap64, mmap);

/* Where a lock is not to be had the process stops once, so that whoever started it can let the holder go on. */
int flock(int fd, int operation)
{
    struct call call;
    call_on_fd(&call, "flock", fd, operation);
    if (config.locks != HONEST && call.watched) {
        errno = config.locks == REFUSED ? ENOLCK : errno;
        return config.locks == REFUSED ? -1 : 0;
    }
    if (!config.stop_locked || !call.watched || operation & LOCK_UN)
        return (int)ISSUE(&call, SYS_flock, fd, operation);
    int result = (int)ISSUE(&call, SYS_flock, fd, operation | LOCK_NB);
    if (result == 0 || errno != EWOULDBLOCK || call.action == FAIL)
        return result;
    signal_self(SIGSTOP);
    if (!(operation & LOCK_NB))
        return (int)syscall(SYS_flock, fd, operation);
    errno = EWOULDBLOCK;
    return -1;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static int on_path(const char *name, long number, int dirfd, const char *path, long argument)
{
    struct call call;
    call_on_path(&call, name, dirfd, path, argument);
    return (int)ISSUE(&call, number, dirfd, L(path), argument);
}

static int on_two_paths(const char *name, long number, int dirfd, const char *path, int other_dirfd, const char *other,
                        unsigned flags)
{
    struct call call;
    call_on_path(&call, name, dirfd, path, flags);
    second_path(&call, other_dirfd, other);
    return (int)ISSUE(&call, number, dirfd, L(path), other_dirfd, L(other), flags);
}

typedef const char *path_t;
int rename(path_t from, path_t to) { return on_two_paths("rename", SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, path_t from, int b, path_t to) { return on_two_paths("rename", SYS_renameat2, a, from, b, to, 0); }
int renameat2(int a, path_t from, int b, path_t to, unsigned flags)
{
    return on_two_paths("rename", SYS_renameat2, a, from, b, to, flags);
}
int link(path_t from, path_t to) { return on_two_paths("link", SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, path_t from, int b, path_t to, int flags)
{
    return on_two_paths("link", SYS_linkat, a, from, b, to, (unsigned)flags);
}

int unlink(path_t path) { return on_path("unlink", SYS_unlinkat, AT_FDCWD, path, 0); }
int rmdir(path_t path) { return on_path("rmdir", SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int dirfd, path_t path, int flags)
{
    return on_path(flags & AT_REMOVEDIR ? "rmdir" : "unlink", SYS_unlinkat, dirfd, path, flags);
}
int remove(path_t path)
{
    int result = unlink(path);
    return result && (errno == EISDIR || errno == EPERM) ? rmdir(path) : result;
}

int mkdir(path_t path, mode_t mode) { return on_path("mkdir", SYS_mkdirat, AT_FDCWD, path, mode); }
int mkdirat(int dirfd, path_t path, mode_t mode) { return on_path("mkdir", SYS_mkdirat, dirfd, path, mode); }

int mknodat(int dirfd, path_t path, mode_t mode, dev_t device)
{
    struct call call;
    call_on_path(&call, "mknod", dirfd, path, mode);
    return (int)ISSUE(&call, SYS_mknodat, dirfd, L(path), mode, L(device));
}
int mknod(path_t path, mode_t mode, dev_t device) { return mknodat(AT_FDCWD, path, mode, device); }
int mkfifo(path_t path, mode_t mode) { return mknodat(AT_FDCWD, path, mode | S_IFIFO, 0); }
int mkfifoat(int dirfd, path_t path, mode_t mode) { return mknodat(dirfd, path, mode | S_IFIFO, 0); }

/* The second path of a symlink is the text that it holds. */
int symlinkat(path_t text, int dirfd, path_t path)
{
    struct call call;
    call_on_path(&call, "symlink", dirfd, path, 0);
    snprintf(call.other, sizeof call.other, "%s", text);
    return (int)ISSUE(&call, SYS_symlinkat, L(text), dirfd, L(path));
}
int symlink(path_t text, path_t path) { return symlinkat(text, AT_FDCWD, path); }

ssize_t readlinkat(int dirfd, path_t path, char *out, size_t n)
{
    struct call call;
    call_on_path(&call, "readlink", dirfd, path, L(n));
    return ISSUE(&call, SYS_readlinkat, dirfd, L(path), L(out), L(n));
}
ssize_t readlink(path_t path, char *out, size_t n) { return readlinkat(AT_FDCWD, path, out, n); }
ssize_t __readlink_chk(path_t path, char *out, size_t n, size_t size);
ssize_t __readlinkat_chk(int dirfd, path_t path, char *out, size_t n, size_t size);
ssize_t __readlink_chk(path_t path, char *out, size_t n, size_t size)
{
    return n > size ? (abort(), -1) : readlinkat(AT_FDCWD, path, out, n);
}
ssize_t __readlinkat_chk(int dirfd, path_t path, char *out, size_t n, size_t size)
{
    return n > size ? (abort(), -1) : readlinkat(dirfd, path, out, n);
}

int chdir(path_t path)
{
    struct call call;
    call_on_path(&call, "chdir", AT_FDCWD, path, 0);
    int result = (int)ISSUE(&call, SYS_chdir, L(path));
    if (result == 0)
        remember_cwd();
    return result;
}
int fchdir(int fd)
{
    int result = (int)on_fd("chdir", SYS_fchdir, fd, 0, 0, 0);
    if (result == 0)
        remember_cwd();
    return result;
}

int truncate(path_t path, off_t n)
{
    struct call call;
    call_on_path(&call, "truncate", AT_FDCWD, path, n);
    return (int)ISSUE(&call, SYS_truncate, L(path), n);
}
SAME(truncate64, truncate);

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void call_on_attributes(struct call *call, int dirfd, const char *path, int flags)
{
    if (path && !*path && flags & AT_EMPTY_PATH)
        call_on_fd(call, "fstat", dirfd, flags);
    else
        call_on_path(call, flags & AT_SYMLINK_NOFOLLOW ? "lstat" : "stat", dirfd, path, flags);
}

static int stat_at(int dirfd, const char *path, void *out, int flags)
{
    struct call call;
    call_on_attributes(&call, dirfd, path, flags);
    return (int)ISSUE(&call, SYS_newfstatat, dirfd, L(path), L(out), flags);
}

static int stat_fd(int fd, void *out)
{
    struct call call;
    call_on_fd(&call, "fstat", fd, 0);
    return (int)ISSUE(&call, SYS_fstat, fd, L(out));
}

int stat(path_t path, struct stat *out) { return stat_at(AT_FDCWD, path, out, 0); }
SAME(stat64, stat);
int lstat(path_t path, struct stat *out) { return stat_at(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW); }
SAME(lstat64, lstat);
int fstat(int fd, struct stat *out) { return stat_fd(fd, out); }
SAME(fstat64, fstat);
int fstatat(int dirfd, path_t path, struct stat *out, int flags) { return stat_at(dirfd, path, out, flags); }
SAME(fstatat64, fstatat);

/* The names of glibc before 2.33. */
#define OLD_STAT(suffix) \
    int __xstat##suffix(int version, path_t path, void *out); \
    int __lxstat##suffix(int version, path_t path, void *out); \
    int __fxstat##suffix(int version, int fd, void *out); \
    int __fxstatat##suffix(int version, int dirfd, path_t path, void *out, int flags); \
    int __xstat##suffix(int version, path_t path, void *out) \
    { \
        return (void)version, stat_at(AT_FDCWD, path, out, 0); \
    } \
    int __lxstat##suffix(int version, path_t path, void *out) \
    { \
        return (void)version, stat_at(AT_FDCWD, path, out, AT_SYMLINK_NOFOLLOW); \
    } \
    int __fxstat##suffix(int version, int fd, void *out) { return (void)version, stat_fd(fd, out); } \
    int __fxstatat##suffix(int version, int dirfd, path_t path, void *out, int flags) \
    { \
        return (void)version, stat_at(dirfd, path, out, flags); \
    }
OLD_STAT()
OLD_STAT(64)

int statx(int dirfd, path_t path, int flags, unsigned mask, struct statx *out)
{
    struct call call;
    call_on_attributes(&call, dirfd, path, flags);
    return (int)ISSUE(&call, SYS_statx, dirfd, L(path), flags, mask, L(out));
}

int faccessat(int dirfd, path_t path, int mode, int flags)
{
    struct call call;
    call_on_path(&call, "access", dirfd, path, mode);
    return (int)ISSUE(&call, flags ? SYS_faccessat2 : SYS_faccessat, dirfd, L(path), mode, flags);
}
int access(path_t path, int mode) { return faccessat(AT_FDCWD, path, mode, 0); }
SAME(eaccess, euidaccess);
int euidaccess(path_t path, int mode) { return faccessat(AT_FDCWD, path, mode, AT_EACCESS); }

int chmod(path_t path, mode_t mode) { return on_path("chmod", SYS_fchmodat, AT_FDCWD, path, mode); }
int fchmod(int fd, mode_t mode) { return (int)on_fd("chmod", SYS_fchmod, fd, mode, 0, 0); }
int fchmodat(int dirfd, path_t path, mode_t mode, int flags)
{
    if (!flags)
        return on_path("chmod", SYS_fchmodat, dirfd, path, mode);
    return ((int (*)(int, path_t, mode_t, int))hidden("fchmodat"))(dirfd, path, mode, flags);
}

int fchownat(int dirfd, path_t path, uid_t user, gid_t group, int flags)
{
    struct call call;
    call_on_path(&call, "chown", dirfd, path, flags);
    return (int)ISSUE(&call, SYS_fchownat, dirfd, L(path), user, group, flags);
}
int chown(path_t path, uid_t user, gid_t group) { return fchownat(AT_FDCWD, path, user, group, 0); }
int lchown(path_t path, uid_t user, gid_t group) { return fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW); }
int fchown(int fd, uid_t user, gid_t group) { return (int)on_fd("chown", SYS_fchown, fd, user, group, 0); }

int utimensat(int dirfd, path_t path, const struct timespec times[2], int flags)
{
    struct call call;
    call_on_path(&call, "utime", dirfd, path, flags);
    return (int)ISSUE(&call, SYS_utimensat, dirfd, L(path), L(times), flags);
}
int futimens(int fd, const struct timespec times[2])
{
    struct call call;
    call_on_fd(&call, "utime", fd, 0);
    return (int)ISSUE(&call, SYS_utimensat, fd, 0, L(times), 0);
}
static int utimes_at(path_t path, const struct timeval *from, int flags)
{
    struct timespec to[2];
    for (int i = 0; from && i < 2; i++)
        to[i] = (struct timespec){from[i].tv_sec, from[i].tv_usec * 1000};
    return utimensat(AT_FDCWD, path, from ? to : NULL, flags);
}
int utimes(path_t path, const struct timeval times[2]) { return utimes_at(path, times, 0); }
int lutimes(path_t path, const struct timeval times[2]) { return utimes_at(path, times, AT_SYMLINK_NOFOLLOW); }
int utime(path_t path, const struct utimbuf *times)
{
    struct timeval both[2] = {{times ? times->actime : 0, 0}, {times ? times->modtime : 0, 0}};
    return utimes_at(path, times ? both : NULL, 0);
}

/* Extended attributes are all called xattr. */
static ssize_t xattr_path(long number, path_t path, long a, long b, size_t n, int flags)
{
    struct call call;
    call_on_path(&call, "xattr", AT_FDCWD, path, L(n));
    return ISSUE(&call, number, L(path), a, b, L(n), flags);
}
static ssize_t xattr_fd(long number, int fd, long a, long b, size_t n, int flags)
{
    struct call call;
    call_on_fd(&call, "xattr", fd, L(n));
    return ISSUE(&call, number, fd, a, b, L(n), flags);
}
#define XATTR(p, type, function) \
    ssize_t p##listxattr(type file, char *out, size_t n) \
    { \
        return function(SYS_##p##listxattr, file, L(out), L(n), 0, 0); \
    } \
    ssize_t p##getxattr(type file, const char *name, void *out, size_t n) \
    { \
        return function(SYS_##p##getxattr, file, L(name), L(out), n, 0); \
    } \
    int p##setxattr(type file, const char *name, const void *value, size_t n, int flags) \
    { \
        return (int)function(SYS_##p##setxattr, file, L(name), L(value), n, flags); \
    } \
    int p##removexattr(type file, const char *name) \
    { \
        return (int)function(SYS_##p##removexattr, file, L(name), 0, 0, 0); \
    }
XATTR(, path_t, xattr_path)
XATTR(l, path_t, xattr_path)
XATTR(f, int, xattr_fd)

static int statfs_path(path_t path, void *out)
{
    struct call call;
    call_on_path(&call, "statfs", AT_FDCWD, path, 0);
    return (int)ISSUE(&call, SYS_statfs, L(path), L(out));
}
static int statfs_fd(int fd, void *out)
{
    struct call call;
    call_on_fd(&call, "statfs", fd, 0);
    return (int)ISSUE(&call, SYS_fstatfs, fd, L(out));
}
int statfs(path_t path, struct statfs *out) { return statfs_path(path, out); }
SAME(statfs64, statfs);
int fstatfs(int fd, struct statfs *out) { return statfs_fd(fd, out); }
SAME(fstatfs64, fstatfs);

/* statvfs is statfs in other words. */
static int in_other_words(int failed, const struct statfs *in, struct statvfs *out)
{
    if (failed)
        return -1;
    memset(out, 0, sizeof *out);
    out->f_bsize = (unsigned long)in->f_bsize;
    out->f_frsize = (unsigned long)(in->f_frsize ? in->f_frsize : in->f_bsize);
    out->f_blocks = in->f_blocks;
    out->f_bfree = in->f_bfree;
    out->f_bavail = in->f_bavail;
    out->f_files = in->f_files;
    out->f_ffree = out->f_favail = in->f_ffree;
    memcpy(&out->f_fsid, &in->f_fsid, sizeof out->f_fsid);
    out->f_flag = (unsigned long)in->f_flags & ~0x20UL; /* ST_VALID, which is for libc alone */
    out->f_namemax = (unsigned long)in->f_namelen;
    return 0;
}
int statvfs(path_t path, struct statvfs *out)
{
    struct statfs in;
    return in_other_words(statfs_path(path, &in), &in, out);
}
int fstatvfs(int fd, struct statvfs *out)
{
    struct statfs in;
    return in_other_words(statfs_fd(fd, &in), &in, out);
}
SAME(statvfs64, statvfs);
SAME(fstatvfs64, fstatvfs);

/* ---- directories ------------------------------------------------------------------------------------------------- */

struct __dirstream {
    int fd;
    size_t size, at, end;
    long position;
    _Alignas(struct dirent64) char data[];
};

/* As large as glibc makes it, so that there are as many getdents calls. */
static DIR *new_stream(int fd, long block)
{
    size_t size = block < 32768 ? 32768 : block > 1048576 ? 1048576 : (size_t)block;
    DIR *stream = malloc(sizeof *stream + size);
    if (stream)
        *stream = (DIR){.fd = fd, .size = size};
    return stream;
}

DIR *opendir(const char *path)
{
    struct stat64 status;
    int fd = open_at(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    DIR *stream = stat_at(fd, "", &status, AT_EMPTY_PATH) ? NULL : new_stream(fd, status.st_blksize);
    if (!stream) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return stream;
}

DIR *fdopendir(int fd)
{
    struct stat64 status;
    if (stat_at(fd, "", &status, AT_EMPTY_PATH))
        return NULL;
    if (!S_ISDIR(status.st_mode)) {
        errno = ENOTDIR;
        return NULL;
    }
    int flags = fcntl_call(fd, F_GETFL, 0);
    if (flags < 0)
        return NULL;
    if ((flags & O_ACCMODE) == O_WRONLY) {
        errno = EINVAL;
        return NULL;
    }
    if (fcntl_call(fd, F_SETFD, FD_CLOEXEC) < 0)
        return NULL;
    return new_stream(fd, status.st_blksize);
}

struct dirent64 *readdir64(DIR *stream)
{
    if (stream->at >= stream->end) {
        int saved = errno;
        struct call call;
        call_on_fd(&call, "getdents", stream->fd, L(stream->size));
        long n = ISSUE(&call, SYS_getdents64, stream->fd, L(stream->data), L(stream->size));
        if (n <= 0) {
            if (n < 0 && errno == ENOENT) /* the directory was removed: its end */
                errno = saved;
            return NULL;
        }
        stream->at = 0;
        stream->end = (size_t)n;
    }
    struct dirent64 *entry = (struct dirent64 *)(stream->data + stream->at);
    stream->at += entry->d_reclen;
    stream->position = entry->d_off;
    return entry;
}
SAME(readdir, readdir64);

int readdir64_r(DIR *stream, struct dirent64 *entry, struct dirent64 **result)
{
    int saved = errno;
    errno = 0;
    *result = readdir64(stream);
    int error = errno;
    errno = saved;
    if (*result)
        *result = memcpy(entry, *result, (*result)->d_reclen);
    return *result ? 0 : error;
}
SAME(readdir_r, readdir64_r);

void seekdir(DIR *stream, long position)
{
    lseek(stream->fd, position, SEEK_SET);
    stream->at = stream->end = 0;
    stream->position = position;
}
void rewinddir(DIR *stream) { seekdir(stream, 0); }
long telldir(DIR *stream) { return stream->position; }
int dirfd(DIR *stream) { return stream->fd; }
int closedir(DIR *stream)
{
    int fd = stream->fd;
    free(stream);
    return close(fd);
}
