/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/trust.h"
#include "base/util.h"

/*
 * Whoever can change a file that decides what is started decides that. Each directory on its way
 * counts, and each symbolic link: who may write a directory can put another file under the name.
 */

/* As many as the kernel follows. */
#define LINKS_MAX 40

struct way {
	const char *asked;	/* as it was named */
	char done[PATH_MAX];	/* looked at, without links: "" is the root */
	char rest[2 * PATH_MAX]; /* still to be looked at */
	unsigned int links;
	char **why;
};

static int refuse(const struct way *w, const char *what, const char *remedy)
{
	const char *place = *w->done ? w->done : "/";
	bool same = streq(w->asked, place);

	if (asprintf(w->why,
		     "%s: %s%s%s, and nobody but root and the caller may decide what is started: %s %s",
		     w->asked, same ? "" : place, same ? "" : ", which is on its way, ", what, remedy,
		     place) < 0)
		*w->why = NULL;
	return -EPERM;
}

static int look(const struct way *w, const struct stat *st)
{
	/* there only the owner of a file may rename it, and whose it is, is looked at next */
	bool sticky = S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX;
	char what[64];

	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(what, sizeof(what), "belongs to the user %u", (unsigned int)st->st_uid);
		return refuse(w, what, "chown root");
	}
	if (S_ISLNK(st->st_mode) || sticky || !(st->st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	snprintf(what, sizeof(what), "can be written by %s (mode %04o)",
		 st->st_mode & S_IWOTH ? "everybody" : "its group",
		 (unsigned int)(st->st_mode & 07777));
	return refuse(w, what, "chmod go-w");
}

/* The next name of the way goes to @name; false: there is none. */
static bool next_name(struct way *w, char name[NAME_MAX + 1])
{
	size_t skip = strspn(w->rest, "/"), len = strcspn(w->rest + skip, "/");

	if (!len)
		return false;
	if (len > NAME_MAX)
		len = NAME_MAX;
	memcpy(name, w->rest + skip, len);
	name[len] = '\0';
	memmove(w->rest, w->rest + skip + len, strlen(w->rest + skip + len) + 1);
	return true;
}

static void up(struct way *w)
{
	char *slash = strrchr(w->done, '/');

	if (slash)
		*slash = '\0';
}

static int trouble(const struct way *w, int err)
{
	if (asprintf(w->why, "%s: %s", w->asked, strerror(err)) < 0)
		*w->why = NULL;
	return err == EPERM ? -EACCES : -err;
}

/* Who opens it waits until somebody writes. */
static int pipe_there(const struct way *w)
{
	if (asprintf(w->why, "%s: is a pipe, and has to be a file", w->asked) < 0)
		*w->why = NULL;
	return -EINVAL;
}

/* The way goes on where the link that was just looked at leads to. */
static int follow(struct way *w)
{
	char to[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlink(w->done, to, sizeof(to) - 1);

	if (n < 0)
		return trouble(w, errno);
	to[n] = '\0';
	if (++w->links > LINKS_MAX || strlen(w->rest) >= sizeof(rest))
		return trouble(w, ELOOP);
	strcpy(rest, w->rest);
	if (*to == '/')
		*w->done = '\0';
	else
		up(w);
	snprintf(w->rest, sizeof(w->rest), "%s/%s", to, rest);
	return 0;
}

static int step(struct way *w, const char *name)
{
	size_t len = strlen(w->done);
	struct stat st;
	int r;

	if (streq(name, "."))
		return 0;
	if (streq(name, "..")) {
		up(w);
		return 0;
	}
	if (len + strlen(name) + 2 > sizeof(w->done))
		return trouble(w, ENAMETOOLONG);
	w->done[len] = '/';
	strcpy(w->done + len + 1, name);
	if (lstat(w->done, &st) < 0)
		return trouble(w, errno);
	if (S_ISFIFO(st.st_mode))
		return pipe_there(w);
	r = look(w, &st);
	return r == 0 && S_ISLNK(st.st_mode) ? follow(w) : r;
}

static int begin(struct way *w, const char *path)
{
	char here[PATH_MAX] = "";
	struct stat st;

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return trouble(w, errno);
	if ((size_t)snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path) >= sizeof(w->rest))
		return trouble(w, ENAMETOOLONG);
	return lstat("/", &st) < 0 ? trouble(w, errno) : look(w, &st);
}

/* What the caller has opened and passes on by its number: nobody else has a say in that. */
static bool is_descriptor(const char *path)
{
	static const char *const places[] = { "/dev/fd/", "/proc/self/fd/" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		size_t len = strlen(places[i]);

		if (!strncmp(path, places[i], len) && path[len] &&
		    !path[len + strspn(path + len, "0123456789")])
			return true;
	}
	return streq(path, "-") || streq(path, "/dev/stdin");
}

int trust_file(const char *path, char **ret_why)
{
	struct way w = { .asked = path, .why = ret_why };
	char name[NAME_MAX + 1];
	int r;

	*ret_why = NULL;
	if (is_descriptor(path))
		return 0;
	r = begin(&w, path);
	while (r == 0 && next_name(&w, name))
		r = step(&w, name);
	return r;
}
