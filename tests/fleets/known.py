# SPDX-License-Identifier: LGPL-2.1-or-later
"""Faults that are known and not cured yet: a name, what is wrong, and the classes that it shows as.

Who cures one takes it off. A class is "VERB: KIND", or the verbs that disagree; * stands for anything.
"""

KNOWN = []
