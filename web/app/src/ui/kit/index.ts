// The parts that every screen is made of.

import "./base.css";

export { Address } from "./address";
export { Avatar, usePicture, type AvatarProps } from "./avatar";
export { Button, IconButton, type ButtonProps, type IconButtonProps } from "./button";
export { composing } from "./composing";
export { colours, type Colours } from "./colour";
export { Dialog, Sheet, useModal, type DialogProps } from "./dialog";
export { Choice, Switch, TextField, type ChoiceProps, type SwitchProps, type TextFieldProps } from "./field";
export { useFoot } from "./foot";
export { Icon } from "./icon";
export { type IconName } from "./icons";
export { initials } from "./initials";
export { lazy } from "./lazy";
export { media, phone, still, touch } from "./media";
export { memo } from "./memo";
export { type MenuItem, type MenuProps } from "./menu";
export { confirm, openMenu, Overlays, toast, type Question, type Toast } from "./overlays";
export { Beside, Empty, Group, Page, Row, type EmptyProps, type PageProps, type RowProps } from "./page";
export { place } from "./place";
export { pressHandlers, usePress, type Point, type PressHandlers } from "./press";
export { QrCode } from "./qr";
export { startRefocusing } from "./refocus";
export { Spinner, VisuallyHidden } from "./spinner";
