/*
 * A disk that fails, preloaded into a process: it breaks the writes and syncs of FAULTY_FILE and of
 * the write-ahead log beside it as the file FAULTY_CONTROL says. What a power cut would leave at least
 * is kept in `<file>.synced`: pages go there when a sync succeeds. As in a kernel, a sync that fails
 * forgets the pages that it could not write: a later one succeeds without them, also in a later
 * process. FAULTY_COUNT gets a byte for each failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { page = 4096, pages = 65536 };

/* Which pages have not been written since the last sync, in `<file>.clean`; at first none. */
struct file {
  const char *suffix;
  unsigned char *clean;
};
static struct file files[] = {{"", NULL}, {"-wal", NULL}};

static void load(struct file *file, const char *path) {
  char name[PATH_MAX + 8];
  snprintf(name, sizeof name, "%s.clean", path);
  int fd = open(name, O_CREAT | O_RDWR, 0644);
  if (fd < 0 || ftruncate(fd, pages) != 0) abort();
  file->clean = mmap(NULL, pages, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (file->clean == MAP_FAILED) abort();
  close(fd);
}

static struct file *faulty(int fd, char path[PATH_MAX]) {
  const char *name = getenv("FAULTY_FILE");
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = name ? readlink(link, path, PATH_MAX - 1) : -1;
  if (length < (ssize_t)(name ? strlen(name) : 0)) return NULL;
  path[length] = 0;
  if (strncmp(path, name, strlen(name)) != 0) return NULL;
  for (int n = 0; n < 2; n += 1) {
    if (strcmp(path + strlen(name), files[n].suffix) != 0) continue;
    if (!files[n].clean) load(&files[n], path);
    return &files[n];
  }
  return NULL;
}

static int told(const char *fault) {
  char text[32] = "";
  int fd = open(getenv("FAULTY_CONTROL"), O_RDONLY);
  if (fd < 0) return 0;
  if (read(fd, text, sizeof text - 1) < 0) text[0] = 0;
  close(fd);
  return strcmp(text, fault) == 0;
}

static void keep(int fd, struct file *file, const char *path) {
  char synced[PATH_MAX + 8], bytes[page];
  snprintf(synced, sizeof synced, "%s.synced", path);
  int to = open(synced, O_CREAT | O_WRONLY, 0644);
  struct stat now;
  if (to < 0 || fstat(fd, &now) != 0 || now.st_size > (off_t)page * pages) abort();
  for (off_t n = 0; n * page < now.st_size; n += 1) {
    if (file->clean[n]) continue;
    ssize_t count = syscall(SYS_pread64, fd, bytes, page, n * page);
    if (count < 0 || syscall(SYS_pwrite64, to, bytes, count, n * page) != count) abort();
  }
  if (ftruncate(to, now.st_size) != 0) abort();
  close(to);
}

static int fail(void) {
  int fd = open(getenv("FAULTY_COUNT"), O_CREAT | O_WRONLY | O_APPEND, 0644);
  if (fd < 0 || write(fd, ".", 1) != 1) abort();
  close(fd);
  errno = EIO;
  return -1;
}

static int sync_file(int fd, long call) {
  char path[PATH_MAX];
  struct file *file = faulty(fd, path);
  if (!file) return (int)syscall(call, fd);
  if (!told("sync-fails")) {
    if (syscall(call, fd) != 0) return -1;
    keep(fd, file, path);
  }
  memset(file->clean, 1, pages);
  return told("sync-fails") || told("sync-lies") ? fail() : 0;
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  char path[PATH_MAX];
  struct file *file = faulty(fd, path);
  if (!file || count == 0) return syscall(SYS_pwrite64, fd, bytes, count, at);
  if (told("write-fails")) return fail();
  int is_torn = told("write-is-torn");
  if (is_torn) count = (count + 1) / 2;
  for (off64_t n = at / page; n <= (at + (off64_t)count - 1) / page; n += 1)
    if (n < pages) file->clean[n] = 0;
  ssize_t written = syscall(SYS_pwrite64, fd, bytes, count, at);
  return is_torn ? fail() : written;
}
