/*
 * What FUSE can do in C: a libfuse 3 low-level, multi-threaded passthrough of one file.
 *
 *   peer FILE SHIFT DIR [libfuse options]     shows FILE from byte SHIFT on, read-only, as DIR/partition
 *
 * SHIFT is 0 but where it measures what data that begin within a page cost, as those of an image do.
 * It does for a raw file what the mounts under test do for an image, with the same caching: one
 * pread into an aligned buffer and one reply (a reply by splice measured half as fast).
 */
#define FUSE_USE_VERSION 312
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "partition"
#define FILE_NODE 2
#define CACHE_SECONDS 3600.0
#define PAGE 4096

static int source;
static off_t shift;
static struct stat status;

static struct stat attributes(fuse_ino_t node)
{
	struct stat st;
	if (node == FILE_NODE) {
		st = status;
		st.st_mode = S_IFREG | 0444;
		st.st_nlink = 1;
	} else {
		memset(&st, 0, sizeof st);
		st.st_mode = S_IFDIR | 0555;
		st.st_nlink = 2;
	}
	st.st_ino = node;
	return st;
}

static void init(void *data, struct fuse_conn_info *connection)
{
	(void)data;
	connection->want &= ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	connection->max_readahead = 8 << 20;
}

static void lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {0};
	if (parent != FUSE_ROOT_ID || strcmp(name, NAME) != 0) {
		fuse_reply_err(request, ENOENT);
		return;
	}
	entry.ino = FILE_NODE;
	entry.attr = attributes(FILE_NODE);
	entry.attr_timeout = entry.entry_timeout = CACHE_SECONDS;
	fuse_reply_entry(request, &entry);
}

static void getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
	struct stat st = attributes(node);
	(void)info;
	fuse_reply_attr(request, &st, CACHE_SECONDS);
}

static void open_file(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
	if (node != FILE_NODE) {
		fuse_reply_err(request, EISDIR);
		return;
	}
	info->keep_cache = 1;
	fuse_reply_open(request, info);
}

static void read_file(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		      struct fuse_file_info *info)
{
	static __thread char *buffer;
	static __thread size_t room;
	ssize_t got;
	(void)node;
	(void)info;
	if (room < size) {
		free(buffer);
		room = size;
		if (posix_memalign((void **)&buffer, PAGE, room) != 0) abort();
	}
	got = pread(source, buffer, size, shift + offset);
	if (got < 0) fuse_reply_err(request, errno);
	else fuse_reply_buf(request, buffer, got);
}

static void readdir(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	char entry[256];
	struct stat st = attributes(FILE_NODE);
	size_t length;
	(void)node;
	(void)info;
	if (offset > 0) {
		fuse_reply_buf(request, NULL, 0);
		return;
	}
	length = fuse_add_direntry(request, entry, sizeof entry, NAME, &st, 1);
	fuse_reply_buf(request, entry, length <= size ? length : 0);
}

static const struct fuse_lowlevel_ops operations = {
	.init = init,
	.lookup = lookup,
	.getattr = getattr,
	.open = open_file,
	.read = read_file,
	.readdir = readdir,
};

static int serve(struct fuse_args *args, const char *directory)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_session *session =
		fuse_session_new(args, &operations, sizeof operations, NULL);
	int result = 1;
	if (session == NULL || fuse_set_signal_handlers(session) != 0) return 1;
	if (fuse_session_mount(session, directory) == 0) {
		result = fuse_session_loop_mt(session, config);
		fuse_session_unmount(session);
	}
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	fuse_loop_cfg_destroy(config);
	return result != 0;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	if (argc < 4) {
		fprintf(stderr, "usage: peer FILE SHIFT DIR [libfuse options]\n");
		return 2;
	}
	source = open(argv[1], O_RDONLY);
	if (source < 0 || fstat(source, &status) != 0) {
		perror(argv[1]);
		return 1;
	}
	shift = atoll(argv[2]);
	status.st_size = (status.st_size - shift) / PAGE * PAGE;
	fuse_opt_add_arg(&args, argv[0]);
	for (int at = 4; at < argc; at++) fuse_opt_add_arg(&args, argv[at]);
	return serve(&args, argv[3]);
}
