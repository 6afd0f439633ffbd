#!/bin/sh
# Makes /opt/lumilio of one member of this repository, and of the lock only what it needs:
#   assemble.sh needs SERVICE [EXTRA]  what it needs, of which the projects alone tell; an extra of common beside it
#   assemble.sh members SERVICE        the member itself and those it builds on
set -eu
service=$2
extra=${3:-}
member=services/$service
[ "$service" != lumilio ] || member=deploy/local
uv=/assembly/bin/uv
export UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never

# The lock is where uv begins, so what it chooses and the hashes are those of the lock; the last command proves it.
choose() {
    chosen=$1
    shift
    cp requirements.lock "$chosen"
    $uv pip compile --quiet "$@" --generate-hashes --no-emit-index-url --no-header --no-annotate -o "$chosen" > /dev/null
    plain='s/ *\\$//; s/ *;.*//'
    sed "$plain" requirements.lock > /assembly/known
    ! grep -v '^-e ' "$chosen" | sed "$plain" | grep -vxFf /assembly/known
}

needs() {
    python3 -m venv /assembly
    sed -n '/^uv==/,/[^\\]$/p' requirements.lock > /assembly/uv.lock
    /assembly/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r /assembly/uv.lock
    echo hatchling > /assembly/tools.in
    choose /assembly/tools.lock /assembly/tools.in
    $uv pip install --quiet --python /assembly --require-hashes -r /assembly/tools.lock

    python3 -m venv --without-pip /opt/lumilio
    choose "$member/needs.lock" "$member/pyproject.toml" ${extra:+libs/common/pyproject.toml --extra "$extra"}
    sed -n "s|^-e |$member/|p" "$member/needs.lock" > /assembly/members
    sed -i '/^-e /d' "$member/needs.lock"
    $uv pip install --quiet --python /opt/lumilio --compile-bytecode --require-hashes -r "$member/needs.lock"
}

members() {
    for each in "$member" $(cat /assembly/members); do
        (cd "$each" && /assembly/bin/hatchling build -t wheel -d /assembly/wheels > /dev/null)
    done
    $uv pip install --quiet --python /opt/lumilio --compile-bytecode --no-deps /assembly/wheels/*.whl
    printf '#!/bin/sh\nexec /opt/lumilio/bin/python -m %s "$@"\n' "$(echo "$service" | tr - _)" > /opt/lumilio/bin/start
    chmod 755 /opt/lumilio/bin/start
}

"$1"
