/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef ABIBASE_REHEARSE_H
#define ABIBASE_REHEARSE_H

#include "document/rehearsal.h"
#include "qemu/command.h"
#include "qemu/qtest.h"

/*
 * A command line of QEMU, rebuilt so that a throw-away QEMU can be started of it which has the same
 * devices, and of its owner's disks, networks and sockets nothing: data/rehearse.json says of each
 * option what becomes of it.
 */

#define REHEARSE_FILES_MAX 32
/* What is declared of a network whose state is in the stream: more of them at the destination load. */
#define REHEARSE_NETWORK "-netdev "

/* What of the host a backend of the throw-away may use. */
struct rehearse_means {
	bool no_taps;  /* hubs instead: there is no /dev/net/tun */
	bool no_vhost; /* taps without vhost-net */
	bool no_vsock;
	char *swtpm; /* its path, for the caller to free; NULL: there is none */
};
/* The one in $PATH, or NULL. */
char *rehearse_find_swtpm(void);

struct rehearse_netdev {
	const char *id;
	const char *declared; /* "tap+vhost": what a guest could tell of it */
};

struct rehearse_line {
	struct abibase_context *ctx;
	const json_t *table;
	struct rehearse_means means;
	bool executes; /* the firmware is to be executed, or has been */
	bool saves;    /* it is this one that executes it */
	const json_t *source; /* "declared" of the one whose stream it loads, or NULL */
	struct arena arena;
	struct strings words; /* for the throw-away */
	struct qtest_nic nics[QTEST_MAX_NICS]; /* what its taps are to be */
	size_t n_nics;
	const char *cpu;		/* the model that it names; "": none */
	json_t *declared;		/* strings, unsorted: what a guest can tell of the line */
	json_t *replaced, *left_out; /* {"option", "why"} */
	json_t *backends; /* of what was replaced: {"option", "command", "type"}, of an object no command */
	struct strings files;		/* what the guest reads, or executes */
	struct strings reads;		/* files and directories that the throw-away opens */
	bool takes_kvm;
	bool has_vsock;	  /* its descriptor comes first, that of a TPM last */
	bool has_tpm;	  /* of swtpm */
	bool without_tpm; /* there would be one, were swtpm here */
	/* between the passes */
	struct rehearse_option *options;
	size_t n_options;
	struct rehearse_netdev *netdevs;
	size_t n_netdevs, cap_netdevs;
	struct strings flash;	     /* block nodes that are flash memory */
	size_t n_absent_devices;
	struct strings absent;	     /* ids of what is left out, which its users go with */
	struct strings ram;	     /* ids of the backends that make up RAM */
	const char *main_ram;	     /* the one of -machine, or NULL */
	uint64_t memory;	     /* as -m says; 0: it says nothing */
	unsigned int machine_major;  /* of the version of the machine type; 0: it names none */
	size_t n_nodes;		     /* NUMA nodes with a size */
	uint64_t unit;		     /* bytes of each */
	bool nodefaults, has_net, has_memory;
	bool boots; /* a kernel of the line's own, or what it loads does */
	size_t hubs;
};

/* @argv: the arguments behind the program's name. 0 or a negative errno with the error of @ctx. */
int rehearse_line_parse(struct rehearse_line *l, const char *const *argv);
void rehearse_line_clear(struct rehearse_line *l);
/* Its taps, and what is handed over with them */
struct qtest_request rehearse_taps(const struct rehearse_line *l);

/* ------------------------------------------------------------- rehearse-run.c */

/* How it went. */
enum rehearse_end {
	REHEARSE_DONE,
	REHEARSE_NO_START, /* it does not start with this line */
	REHEARSE_REFUSED,  /* it starts, and does not save, or load */
	REHEARSE_LOST, /* as it loads or executes, it hangs, or ends for no fault of its stream */
	REHEARSE_TROUBLE, /* it could not be made, hung, or did not say why */
};

struct rehearse_half {
	const char *qemu; /* a path */
	const struct rehearse_line *line;
	const struct buf *load; /* NULL: save, into @stream */
	int timeout_ms;
	unsigned int run_s; /* so long its firmware is executed before it is saved; 0: it is not */
	enum rehearse_end end;
	bool lacks;	   /* a backend that was replaced: it would not start */
	struct buf why;	   /* in words, of all but REHEARSE_DONE */
	struct buf stderr; /* all that it said there, up to some kB */
	struct buf stream;
	/* what it said of itself; NULL: it did not get that far */
	json_t *cpus;
	json_t *properties; /* of its devices: {"class": {"property": ["value", ...]}} */
	bool lists_devices; /* is to say the next one, too */
	json_t *devices; /* {"devices", "pci"}: sorted strings, "ID TYPE", "SLOT.FUNCTION IDS" */
	char *machine, *version, *package, *cpus_possible;
};
/* 0, or -ENOMEM */
int rehearse_run(struct rehearse_half *h);
void rehearse_half_clear(struct rehearse_half *h);

/* ----------------------------------------------------------------- rehearse-ask.c */

/* Of one that has just started, from the greeting on. 0 or a negative errno, as qmp_call() */
int rehearse_ask(struct rehearse_half *h, struct qmp *q);
/* Of a guest that runs: as a throw-away with @lists_devices, but for its vCPUs. */
int rehearse_ask_guest(struct rehearse_half *h, struct qmp *q);

/* ------------------------------------------------------------ rehearse-backends.c */

/* 0 or -ENOMEM */
int rehearse_note_backend(struct rehearse_line *l, const char *option, const char *command,
			  const char *type);
/* -ENODEV: it lacks one, which is in @h->why; else as qmp_call() */
int rehearse_ask_backends(struct rehearse_half *h, struct qmp *q);

/* ------------------------------------------------------------- rehearse-confine.c */

/* The fn of struct qmp_preparation; @data is the half. */
int rehearse_prepare(void *data, int *step);
int rehearse_limit(void *data, int *step); /* its limit */
#define REHEARSE_FAILED_TPM 99 /* a step of the one beside */
void rehearse_step_words(const struct rehearse_half *h, int step, struct buf *out);

/* ----------------------------------------------------------------- rehearse-tpm.c */

#define REHEARSE_TPM "abibase-tpm"
/* Descriptors that are handed over */
unsigned int rehearse_fds(const struct rehearse_line *l);
/* The value of -chardev, where the line has a TPM */
void rehearse_tpm_chardev(const struct rehearse_line *l, struct buf *out);
/* The one beside of struct qmp_preparation; @data is the half. */
int rehearse_beside(void *data, int *step);

#endif
