/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_LIB_MILTER_PROTOCOL_H
#define TESTS_LIB_MILTER_PROTOCOL_H

/* What Postfix 3.7 offers: protocol 6, all actions, all steps. */
#define MILTER_VERSION	6u
#define ACTIONS		0x1ffu
#define STEPS		0x1fffffu

/* Steps that a milter does not want, and those that it does not answer. */
enum {
	NO_CONNECT = 0x1, NO_HELO = 0x2, NO_MAIL = 0x4, NO_RCPT = 0x8,
	NO_BODY = 0x10, NO_HEADER = 0x20, NO_EOH = 0x40, NR_HEADER = 0x80,
	NO_DATA = 0x200, NR_CONNECT = 0x1000, NR_HELO = 0x2000,
	NR_MAIL = 0x4000, NR_RCPT = 0x8000, NR_DATA = 0x10000,
	NR_EOH = 0x40000, NR_BODY = 0x80000, LEADING_SPACE = 0x100000
};

#endif
