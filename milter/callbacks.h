/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_CALLBACKS_H
#define MILTER_CALLBACKS_H

#include "base/err.h"
#include "milter/session.h"

/*
 * libmilter's calls: what it hands in is copied into a session, what the
 * session answers is handed out.  The filter is borrowed for good.
 */
bool	callbacks_register(struct filter *, struct err *);

#endif
