# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other computer's shell runs. It is any POSIX shell: a computer with Windows cannot be the other one.

All lies in ~/.hi3dgen: a folder for each version of the program, `python`, the path of the Python that runs it, and
`folder`, the path of the folder for environments and weights, empty for the usual one.
"""

NOT_SET_UP, NOT_WRITTEN, NO_PYTHON, NO_NUMPY = 66, 67, 68, 69  # exit codes that are not ssh's, the shell's or ours
DAYS = 7  # after which another version of the program is deleted if nobody uses it any more

RUNNING = "running"  # begins the name of a file beside the program for each process of it, which ends with its number

_WHICH = "import sys; print((3, 11) <= sys.version_info[:2] <= (3, 14) and sys.executable or str())"

# $1: the version's name; $2: the Python and $3: the folder, or nothing for those of the last time, else the usual ones.
# Standard input: the program as a compressed tar archive.
COPY = f"""
umask 077
part=$1.part.$$
trap 'rm -rf "$HOME/.hi3dgen/$part"' EXIT
mkdir -p "$HOME/.hi3dgen/$part" && cd "$HOME/.hi3dgen" && tar -xzf - -C "$part" || exit {NOT_WRITTEN}
former= folder=
[ ! -f python ] || read -r former <python
[ ! -f folder ] || read -r folder <folder
for python in "$2" "$former" python3.13 python3.12 python3.11 python3.14 python3 python; do
    [ -n "$python" ] || continue
    path=$("$python" -c "{_WHICH}" 2>/dev/null)
    [ -z "$path$2" ] || break
done
[ -n "$path" ] || exit {NO_PYTHON}
if ! (cd / && "$path" -c "import numpy; numpy.ndarray") 2>/dev/null; then
    "$path" -m venv numpy-environment >&2 || exit {NO_NUMPY}
    numpy-environment/bin/python -m pip install -q -c "$part/constraints.txt" numpy >&2 || exit {NO_NUMPY}
    path=$HOME/.hi3dgen/numpy-environment/bin/python
fi
printf "%s\\n" "$path" >python && printf "%s\\n" "${{3:-$folder}}" >folder || exit {NOT_WRITTEN}
for other in $(find . -mindepth 1 -maxdepth 1 -name "hi3dgen-*" ! -name "$1*" -mtime +{DAYS}); do
    for mark in "$other"/{RUNNING}.*; do
        ! kill -0 "${{mark##*.}}" 2>/dev/null || continue 2
    done
    rm -rf "$other"
done
[ ! -e "$1" ] || mv "$1" "$1.old.$$" || exit {NOT_WRITTEN}
mv "$part" "$1" || exit {NOT_WRITTEN}
rm -rf "$1".old.*
"""

# $1: the version's name; $2: the device that engines compute on, or nothing; then the arguments of `far`.
RUN = f"""
cd "$HOME/.hi3dgen/$1" 2>/dev/null && read -r python <../python && [ -x "$python" ] || exit {NOT_SET_UP}
read -r folder <../folder
for mark in {RUNNING}.*; do
    kill -0 "${{mark##*.}}" 2>/dev/null || rm -f "$mark"
done
: >{RUNNING}.$$  # the number stays: what follows takes this process over
PYTHONPATH=$PWD PYTHONUTF8=1 PYTHONSAFEPATH=1
export PYTHONPATH PYTHONUTF8 PYTHONSAFEPATH
[ -z "$folder" ] || export HI3DGEN_USER_FOLDER="$folder"
[ -z "$2" ] || export HI3DGEN_DEVICE="$2"
shift 2
cd "$HOME" && exec "$python" -s -m backend.remote.far "$@"
"""
