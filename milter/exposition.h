/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_EXPOSITION_H
#define MILTER_EXPOSITION_H

#include "base/buf.h"

/*
 * All that was counted (stats.h) in Prometheus's text format, version 0.0.4.
 * buf_ok() tells whether there was memory for it.
 */
#define EXPOSITION_TYPE	"text/plain; version=0.0.4; charset=utf-8"

void	exposition_write(struct buf *);

#endif
